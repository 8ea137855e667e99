"""Which cookies a page of a declared target may be given: none that another host would be sent."""

from captchad.domain.errors import TargetNotAllowed
from captchad.domain.target import host_matches, literal_address, normalise_host


def find_cookie_host(domain: str, host: str, target_host: str) -> str:
    """Return the host that a cookie of `domain` is for; TargetNotAllowed where a page of `host` may not be given it.

    A domain above the host is fine as long as it is inside the target too (`*.example.com` holds a.example.com).
    """
    wanted = normalise_host(domain.removeprefix("."))
    if wanted == host:
        return wanted
    if literal_address(host) is not None or not host.endswith(f".{wanted}"):
        raise TargetNotAllowed(f"the page at {host} would not be sent it; leave the domain out for the page's own host")
    if not host_matches(target_host, wanted):
        raise TargetNotAllowed(f"{wanted} reaches beyond the declared target {target_host}; leave the domain out")
    return wanted
