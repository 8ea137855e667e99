"""What a browser does on one page and what it returns: values that gateway, broker and worker share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from captchad.domain.target import Origin

SESSION_LIMIT_BYTES = 1024 * 1024
"""Of a session that a page leaves, once it is sealed."""

STORED_VALUES_LIMIT = 1000

LEAST_SECRET_LENGTH = 8
"""Of a session's values; shorter ones are settings such as `en`, and words of every other message."""

SameSite = Literal["Strict", "Lax", "None"]


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie; without `domain` it is the target host's own, without `expires` (seconds since 1970) a session's."""

    name: str
    value: str = field(repr=False)
    domain: str | None = None
    path: str = "/"
    expires: float | None = None
    http_only: bool = False
    secure: bool = False
    same_site: SameSite | None = None


@dataclass(frozen=True, slots=True)
class SessionState:
    """What a page finds in its browser, or leaves there; headers go to the target's origin only."""

    cookies: tuple[Cookie, ...] = ()
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    local_storage: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class StorageState:
    """What a whole browser holds, of any site, as Playwright saves it; `local_storage` is by origin.

    A cookie that subdomains get too has a dot before its domain; one of a session may have a negative expiry.
    `partitioned` are the domains of cookies that a browser keeps for frames inside other sites alone.
    """

    cookies: tuple[Cookie, ...] = ()
    partitioned: tuple[str, ...] = ()
    local_storage: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What of a storage state the page would not be sent: hosts of cookies, and origins of storage."""

    cookies: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()


DialogAnswer = Literal["accept", "dismiss"]
StepAction = Literal["click", "focus", "hover", "wait_for", "type"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is done on the page before the captcha is looked for; `value` is what is typed."""

    action: StepAction
    selector: str
    value: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FormField:
    """One further field of the form: what is typed into it, which option is chosen, or whether it is ticked."""

    selector: str
    value: str | None = field(default=None, repr=False)
    choose: str | None = field(default=None, repr=False)
    check: bool | None = None


@dataclass(frozen=True, slots=True)
class Fill:
    """Where the answer is typed, and how success and failure show (CSS, `url:GLOB` or `text:…`); the rest is CSS.

    `fields` are filled before the answer is typed. `dialogs` says what becomes of dialogs ("really send?"). `rejected`
    is another such condition: how the page shows that it refuses what the form was filled with besides the answer.
    """

    input: str
    submit: str | None = None
    success: str | None = None
    failure: str | None = None
    refresh: str | None = None
    fields: tuple[FormField, ...] = ()
    dialogs: DialogAnswer = "dismiss"
    rejected: str | None = None

    @property
    def has_conditions(self) -> bool:
        """Whether anything says what becomes of an answer."""
        return any(condition is not None for condition in (self.success, self.failure, self.rejected))


def _reach_nothing(_: Origin) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class PageOrder:
    """What is wanted of one page.

    A context may be reused only for the same `key_id` (None without API keys) and `target` (the declared host). What is
    typed reaches only the origins that `may_reach_typed` allows.
    """

    url: str
    target: str
    key_id: str | None = None
    selector: str | None = None
    session: SessionState | None = None
    steps: tuple[Step, ...] = ()
    fill: Fill | None = None
    wants_session: bool = False
    may_reach_typed: Callable[[Origin], bool] = field(default=_reach_nothing, repr=False)

    @property
    def typed_values(self) -> tuple[str, ...]:
        """Return the values that come with the task and are typed or chosen on the page."""
        return list_typed_values(self.steps, self.fill)

    @property
    def secret_values(self) -> tuple[str, ...]:
        """Return what is typed, and what of the session is secret; no message and no evidence may show them."""
        return list_secret_values(self.session, self.steps, self.fill)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence of one reading: the captcha's picture, and a PNG of the page; `choice` says why it was chosen.

    `judgement` is the probability that the site accepted the answer, as far as that was judged.
    """

    picture: bytes = field(repr=False)
    screenshot: bytes | None = field(default=None, repr=False)
    choice: str = ""
    judgement: float | None = None


@dataclass(frozen=True, slots=True)
class KeptEvidence:
    """What was kept for a task, until its record expires or newer evidence needs the room."""

    has_picture: bool
    has_screenshot: bool
    choice: str = ""
    judgement: float | None = None


def list_typed_values(steps: tuple[Step, ...], fill: Fill | None) -> tuple[str, ...]:
    """Return what is typed or chosen, in the order of the steps and then of the fields."""
    typed = [step.value for step in steps]
    for one in fill.fields if fill is not None else ():
        typed += [one.value, one.choose]
    return tuple(value for value in typed if value is not None)


def list_secret_values(session: SessionState | None, steps: tuple[Step, ...], fill: Fill | None) -> tuple[str, ...]:
    """Return what is typed, then the session's values; of a header also its parts, such as the token after `Bearer`."""
    state = session or SessionState()
    headers = [part for value in state.headers.values() for part in (value, *value.split())]
    values = [*(cookie.value for cookie in state.cookies), *headers, *state.local_storage.values()]
    secret = (value for value in values if len(value) >= LEAST_SECRET_LENGTH)
    return (*list_typed_values(steps, fill), *secret)


def replace_typed_values(
    steps: tuple[Step, ...], fill: Fill | None, values: Sequence[str]
) -> tuple[tuple[Step, ...], Fill | None]:
    """Return steps and form with other values, as many as `list_typed_values` lists and in its order."""
    left = iter(values)

    def take(value: str | None) -> str | None:
        return None if value is None else next(left)

    steps = tuple(replace(step, value=take(step.value)) for step in steps)
    if fill is None:
        return steps, None
    fields = tuple(replace(one, value=take(one.value), choose=take(one.choose)) for one in fill.fields)
    return steps, replace(fill, fields=fields)
