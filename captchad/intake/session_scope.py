"""Keeps a session's cookies inside the declared target: no other host may be handed one."""

from captchad.domain.cookie_scope import find_cookie_host
from captchad.domain.errors import InvalidRequest, TargetNotAllowed, Violation
from captchad.domain.target import Target, parse_origin
from captchad.intake.draft import TaskDraft


def check_cookies(draft: TaskDraft, target: Target) -> None:
    """Refuse cookies for other hosts than the page's own; InvalidRequest names each."""
    if draft.session is None or draft.url is None:
        return
    host = parse_origin(draft.url).host
    violations = tuple(
        Violation(f"{draft.pointer}/session/cookies/{index}/domain", message)
        for index, cookie in enumerate(draft.session.cookies)
        if cookie.domain is not None and (message := _explain_foreign(cookie.domain, host, target))
    )
    if violations:
        raise InvalidRequest("a cookie is out of scope", violations)


def _explain_foreign(domain: str, host: str, target: Target) -> str | None:
    try:
        find_cookie_host(domain, host, target.host)
    except TargetNotAllowed as error:
        return error.message
    return None
