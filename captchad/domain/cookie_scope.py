"""Which cookies a page of a declared target may be given: none that another host would be sent."""

from dataclasses import replace

from captchad.domain.errors import TargetNotAllowed
from captchad.domain.page import Cookie
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


def keep_cookie(cookie: Cookie, host: str, target_host: str) -> Cookie | None:
    """Return a browser's cookie as a task's session has it, None where a page of `host` would not be sent it.

    A browser marks a cookie that subdomains get too by a dot before its domain, and one without expiry by a negative
    number. One that the host shares with others beyond the target comes back as the host's own.
    """
    given = cookie.domain or ""
    try:
        domain = normalise_host(given.strip("[]").removeprefix("."))
    except TargetNotAllowed:
        return None
    is_domain_cookie = given.startswith(".")
    if domain != host and not (is_domain_cookie and host.endswith(f".{domain}")):
        return None
    is_wide = is_domain_cookie and host_matches(target_host, f"any.{domain}") and host_matches(target_host, domain)
    return replace(
        cookie,
        domain=domain if is_wide else None,
        expires=None if cookie.expires is not None and cookie.expires < 0 else cookie.expires,
        # Browsers reject SameSite=None without Secure, so it could not be put in again.
        same_site=None if cookie.same_site == "None" and not cookie.secure else cookie.same_site,
    )
