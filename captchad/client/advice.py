"""What a program's author can do about each error, beside what the gateway says of it."""

from collections.abc import Mapping

from captchad.domain.errors import (
    BrokerUnavailable,
    CaptchadError,
    GatewayFailed,
    GatewayUnreachable,
    InvalidRequest,
    QueueFull,
    RateLimited,
    TaskErrorCode,
    Unauthorized,
)

_ADVICE = {
    GatewayUnreachable.code: "start one with `captchad up`, or give its address as url= or in CAPTCHAD_GATEWAY_URL",
    GatewayFailed.code: "see the gateway's log, or upgrade captchad where its code is new to this client",
    Unauthorized.code: "give a valid key as api_key= or in CAPTCHAD_API_KEY; `captchad keys create NAME` makes one",
    BrokerUnavailable.code: "see `captchad doctor` where captchad runs",
    QueueFull.code: "add workers, or submit more slowly; gateway.queue_limit is the bound",
    RateLimited.code: "submit more slowly, or raise gateway.rate_limit or the key's own limit",
}

TASK_ADVICE: dict[str, str] = {
    TaskErrorCode.CAPTCHA_NOT_FOUND: "name the picture with selector=",
    TaskErrorCode.CAPTCHA_UNREADABLE: "say what is known of the text with hints=, or raise retry_count=",
    TaskErrorCode.WRONG_ANSWER: "say what is known of the text with hints=, or raise retry_count=",
    TaskErrorCode.UNSUPPORTED_CAPTCHA: "this kind is not read, by design: switch it off in the test environment",
    TaskErrorCode.TARGET_NOT_ALLOWED: "declare every host that the page leads to in security.targets",
    TaskErrorCode.NAVIGATION_FAILED: "see that the page can be reached from the worker's machine",
    TaskErrorCode.CERTIFICATE_ERROR: "name the site's authority in the target's certificate_authorities",
    TaskErrorCode.ATTEMPT_TIMEOUT: "raise timeout=",
    TaskErrorCode.DEADLINE_EXCEEDED: "raise task_deadline=, or add workers",
    TaskErrorCode.STEP_FAILED: "see that the selectors in steps= and fill= are those of the page",
    TaskErrorCode.FORM_REJECTED: "see what else fill= types: the page refused that, not the captcha's text",
    TaskErrorCode.BROWSER_CRASHED: "see `captchad doctor` on the worker's machine",
    TaskErrorCode.UNREADABLE_RECORD: "give all gateways and workers the same security.session_key",
}


def add_advice(error: CaptchadError, own: Mapping[str, str]) -> None:
    """Have an error of the gateway's say what to do, and name each wrong field; `own` is advice of a caller's own.

    Why a target is not allowed, and what opens it, the gateway says by itself: it alone knows.
    """
    message = error.message
    if isinstance(error, InvalidRequest) and error.violations:
        message += ": " + "; ".join(f"{one.pointer or '/'} {one.message}" for one in error.violations)
    is_said = isinstance(error, GatewayUnreachable) and error.is_something_there
    advice = None if is_said else {**_ADVICE, **own}.get(error.code)
    if advice:
        message = f"{message.rstrip('.')} — {advice}"
    error.message, error.args = message, (message,)
