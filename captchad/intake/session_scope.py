"""Keeps a session's cookies inside the declared target: no other host may be handed one."""

from captchad.domain.errors import InvalidRequest, TargetNotAllowed, Violation
from captchad.domain.target import Target, host_matches, literal_address, normalise_host, parse_origin
from captchad.intake.draft import TaskDraft


def check_cookies(draft: TaskDraft, target: Target) -> None:
    """Refuse cookies for other hosts than the page's own; InvalidRequest names each."""
    if draft.session is None or draft.url is None:
        return
    host = parse_origin(draft.url).host
    violations = tuple(
        Violation(f"{draft.pointer}/session/cookies/{index}/domain", message)
        for index, cookie in enumerate(draft.session.cookies)
        if cookie.domain is not None and (message := explain_foreign_domain(cookie.domain, host, target))
    )
    if violations:
        raise InvalidRequest("a cookie is out of scope", violations)


def explain_foreign_domain(domain: str, host: str, target: Target) -> str | None:
    """Say why a cookie of `domain` may not be put in for a page of `host`, or None where it may.

    A domain above the host is fine as long as it is inside the target too (`*.example.com` holds a.example.com).
    """
    try:
        wanted = normalise_host(domain.removeprefix("."))
    except TargetNotAllowed as error:
        return error.message
    if wanted == host:
        return None
    if literal_address(host) is not None or not host.endswith(f".{wanted}"):
        return f"the page at {host} would not be sent it; leave the domain out for the page's own host"
    if not host_matches(target.host, wanted):
        return f"{wanted} reaches beyond the declared target {target.host}; leave the domain out"
    return None
