"""Keeps a session inside the declared target: no other host may be handed a cookie or what a site has stored."""

from dataclasses import replace

from captchad.domain.cookie_scope import find_cookie_host, keep_cookie
from captchad.domain.errors import InvalidRequest, TargetNotAllowed, Violation
from captchad.domain.page import Cookie, LeftOut, SessionState
from captchad.domain.target import Target, find_origin, parse_origin
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


def choose_state(draft: TaskDraft, target: Target) -> tuple[TaskDraft, LeftOut]:
    """Return the draft with what its page may be given of its storage state, and what is left out of that.

    A login leaves cookies of other hosts too, which are no reason to refuse it. InvalidRequest where nothing remains.
    """
    state, session = draft.storage_state, draft.session or SessionState()
    if state is None or draft.url is None:
        return draft, LeftOut()
    host, origin = parse_origin(draft.url).host, find_origin(draft.url)
    kept = [(cookie, keep_cookie(cookie, host, target.host)) for cookie in state.cookies]
    cookies = [cookie for _, cookie in kept if cookie is not None]
    stored = {given: items for given, items in state.local_storage.items() if _spell_origin(given) == origin}
    left_out = LeftOut(
        tuple(sorted({*state.partitioned, *(given.domain or "" for given, cookie in kept if cookie is None)})),
        tuple(sorted(state.local_storage.keys() - stored.keys())),
    )
    has_own = bool(session.cookies or session.local_storage)
    if (left_out.cookies or left_out.origins) and not (cookies or stored or has_own):
        message = f"has nothing for {origin}: {_name_left_out(left_out)} would not be sent there"
        raise InvalidRequest(
            "the session is out of scope", (Violation(f"{draft.pointer}/session/storage_state", message),)
        )
    local_storage = {name: value for items in stored.values() for name, value in items.items()}
    chosen = SessionState(
        _merge_cookies(cookies, session.cookies), session.headers, {**local_storage, **session.local_storage}
    )
    return replace(draft, session=chosen, storage_state=None), left_out


def _merge_cookies(given: list[Cookie], own: tuple[Cookie, ...]) -> tuple[Cookie, ...]:
    """Return both, the session's own in place of those of the same name, domain and path."""
    return tuple({(one.name, one.domain, one.path): one for one in (*given, *own)}.values())


def _spell_origin(origin: str) -> str | None:
    try:
        return find_origin(origin)
    except TargetNotAllowed:
        return None


def _name_left_out(left_out: LeftOut) -> str:
    return ", ".join(
        [f"cookies of {host}" for host in left_out.cookies] + [f"storage of {origin}" for origin in left_out.origins]
    )
