"""Which target a picture from another service's client belongs to: such a client can't name one, so its key does."""

from captchad.domain.api_key import ApiKey
from captchad.domain.errors import TargetNotAllowed
from captchad.domain.proof import Standing
from captchad.domain.target import Target, parse_origin


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


def check_bound_target(target: Target, standing: Standing) -> None:
    """Refuse a target that is not shown to be the operator's own.

    Private ones need no proof. Of others only a proof that holds now counts: none that is waived, or in grace.
    """
    if standing not in {Standing.PRIVATE, Standing.PROVEN}:
        raise TargetNotAllowed(
            f"{target.host} is a target whose proof is {_LACKS[standing]}: other services' clients are served "
            "for private targets and proven ones alone"
        )


_LACKS = {Standing.WAIVED: "waived", Standing.GRACE: "missing, with grace", Standing.UNPROVEN: "missing"}
