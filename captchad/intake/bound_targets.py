"""Which target a picture from another service's client belongs to: such a client can't name one, so its key does."""

from captchad.domain.api_key import ApiKey
from captchad.domain.errors import TargetNotAllowed
from captchad.domain.target import Target, is_loopback_host, parse_origin


def choose_bound_host(key: ApiKey, page: str | None) -> str:
    """Return the host of a page, which the key must still be allowed to use, or the one target the key is bound to."""
    if not key.targets:
        raise TargetNotAllowed(
            f"the key {key.name!r} is bound to no target; make one with `captchad keys create NAME --target HOST`"
        )
    if page is not None:
        return parse_origin(page).host
    if len(key.targets) > 1:
        raise TargetNotAllowed(
            f"the key {key.name!r} is bound to several targets; send the page's address, or use a key for each"
        )
    return key.targets[0]


def check_bound_target(target: Target) -> None:
    """Refuse a target that is not shown to be the operator's own.

    Private ones need no proof. Of a public one, nothing that holds is known yet; a proof that is waived never counts.
    """
    if not (target.allow_private_addresses or is_loopback_host(target.host)):
        raise TargetNotAllowed(
            f"{target.host} is a public target, and nothing proves yet that it is yours: other services' clients are "
            "served for private targets alone"
        )
