"""The options of `captchad submit`, and the body of POST /submit_task they make."""

import base64
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from captchad.cli.page_actions import read_fields, read_steps
from captchad.cli.reading_options import CHOOSING_OPTIONS, check_lengths
from captchad.domain.json_integer import read_integer
from captchad.domain.page import DialogAnswer
from captchad.domain.picture import PICTURE_LIMIT_BYTES, PICTURE_TOO_LARGE
from captchad.domain.recognition import PICTURE_KINDS
from captchad.domain.task import Priority
from captchad.domain.task_limits import DEADLINE_LIMIT_SECONDS, RETRIES_LIMIT, TEXT_LENGTH_LIMIT, TIMEOUT_LIMIT_SECONDS

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

STANDARD_INPUT = "-"
_JSON_LIMIT_BYTES = 4 * 1024 * 1024
"""The gateway takes no larger body, and most of what such a file holds goes into one."""
_HINTS = ("charset", "min_length", "max_length", "case_sensitive", "kind", "colour", "position")
_PLAIN = (
    "url",
    "target",
    "timeout",
    "retry_count",
    "priority",
    "selector",
    "session",
    "task_deadline",
    "callback_url",
    "metadata",
)
_FLAGS = ("return_session", "evidence")
_FILL = {
    "fill_input": "input",
    "fill_submit": "submit",
    "success": "success",
    "failure": "failure",
    "rejected": "rejected",
    "refresh": "refresh",
    "dialogs": "dialogs",
}
"""Options of a form, and the names they have in `fill`."""

_ARGUMENTS = {
    "image": "--image",
    "hints": "the hints",
    "fill": "--fill",
    **{name: f"--{name.replace('_', '-')}" for name in (*_PLAIN, *_FLAGS)},
    **{f"hints/{name}": f"--{name.replace('_', '-')}" for name in _HINTS},
    "steps": "--step",
    "fill/fields": "--field",
    **{f"fill/{name}": f"--{option.replace('_', '-')}" for option, name in _FILL.items()},
    "url": "URL",
}
"""Members of the body, and the arguments that they come from."""


def read_json_object(ctx: click.Context, param: click.Parameter, value: str | None) -> dict[str, Any] | None:
    """Read an option's JSON object, written out or in a file as @FILE."""
    if value is None:
        return None
    text = _read_text(value[1:]) if value.startswith("@") else value
    try:
        parsed = json.loads(text, parse_int=read_integer)
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"not JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise click.BadParameter("not a JSON object { … }")
    return parsed


def read_session(ctx: click.Context, param: click.Parameter, value: str | None) -> dict[str, Any] | None:
    """Read a session of captchad's or Playwright's shape: a file, with or without @ before it, or JSON written out."""
    is_file = value is not None and not value.startswith(("@", "{", "["))
    session = read_json_object(ctx, param, f"@{value}" if is_file else value)
    # Playwright writes both, captchad never this one.
    return {"storage_state": session} if session is not None and "origins" in session else session


def name_argument(pointer: str) -> str:
    """Return the argument that a member of the task's body came from, as it is written on the command line."""
    steps = pointer.strip("/").split("/")
    for length in range(len(steps), 0, -1):
        argument = _ARGUMENTS.get("/".join(steps[:length]))
        if argument is not None:
            inside = "/".join(steps[length:])
            return f"{argument}: {inside}" if inside else argument
    return pointer


def _read_text(path: str) -> str:
    try:
        # With or without the byte order mark that some editors put first.
        content = _read_bytes(path, _JSON_LIMIT_BYTES)
        if len(content) > _JSON_LIMIT_BYTES:
            raise click.BadParameter(f"{path} is larger than {_JSON_LIMIT_BYTES} bytes, which no gateway takes")
        return content.decode("utf-8-sig")
    except UnicodeError:
        raise click.BadParameter(f"{path} is not UTF-8 text") from None


def _read_bytes(path: str, limit_bytes: int) -> bytes:
    """Return a file's content; of a larger one a byte more than is allowed, which is enough to refuse it."""
    if not path:
        raise click.BadParameter("names no file")
    try:
        with Path(path).open("rb") as file:
            return file.read(limit_bytes + 1)
    except OSError as error:
        raise click.BadParameter(f"{path} can't be read: {(error.strerror or str(error)).lower()}") from None


def _json_option(name: str, description: str) -> Callable[[Decorated], Decorated]:
    return click.option(name, callback=read_json_object, metavar="JSON|@FILE", help=description)


_TIMEOUT = click.FloatRange(1, TIMEOUT_LIMIT_SECONDS)
_DEADLINE = click.FloatRange(1, DEADLINE_LIMIT_SECONDS)
_RETRIES = click.IntRange(0, RETRIES_LIMIT)
_TEXT_LENGTH = click.IntRange(1, TEXT_LENGTH_LIMIT)
_OPTIONS = (
    click.option(
        "--image",
        "image_path",
        metavar="FILE",
        type=click.Path(),
        help="Submit this picture instead of a page; -: stdin.",
    ),
    click.option("--target", metavar="HOST", help="With --image: the declared host the picture comes from."),
    click.option("--timeout", type=_TIMEOUT, metavar="SECONDS", help="Time limit of one attempt."),
    click.option("--retry-count", type=_RETRIES, metavar="N", help="Further attempts after a failed one."),
    click.option("--priority", type=click.Choice([one.value for one in Priority]), help="The queue it waits in."),
    click.option("--selector", metavar="CSS", help="The captcha picture; without it the worker finds it."),
    click.option("--charset", metavar="CHARACTERS", help="Characters that can occur in the text."),
    click.option("--min-length", type=_TEXT_LENGTH, metavar="N", help="Minimum length of the text."),
    click.option("--max-length", type=_TEXT_LENGTH, metavar="N", help="Maximum length of the text."),
    click.option("--case-sensitive/--case-insensitive", default=None, help="Whether the site distinguishes A from a."),
    click.option(
        "--kind", type=click.Choice([kind.value for kind in PICTURE_KINDS]), help="Text, or arithmetic to work out."
    ),
    *CHOOSING_OPTIONS,
    click.option(
        "--session",
        callback=read_session,
        metavar="FILE|JSON",
        type=click.Path(),
        help="Cookies, headers and local_storage to put in first, or what Playwright's storage_state() saved.",
    ),
    _json_option("--fill", "Where to type, submit and verify the text, all at once."),
    click.option("--fill-input", metavar="CSS", help="Where to type the text."),
    click.option("--fill-submit", metavar="CSS", help="What to click to submit; by default Enter is pressed."),
    click.option("--success", metavar="CONDITION", help="How success looks: CSS, url:GLOB or text:…"),
    click.option("--failure", metavar="CONDITION", help="How failure looks: CSS, url:GLOB or text:…"),
    click.option(
        "--rejected", metavar="CONDITION", help="How a wrong password or the like looks; it ends the task at once."
    ),
    click.option("--refresh", metavar="CSS", help="What to click for another captcha."),
    click.option(
        "--dialogs",
        type=click.Choice(get_args(DialogAnswer)),
        help="What becomes of a dialog such as “Really send?”; by default it is dismissed.",
    ),
    click.option(
        "--field",
        "fields",
        multiple=True,
        callback=read_fields,
        metavar="CSS=>VALUE",
        help="Type VALUE before the text; or @env:NAME, @choose:OPTION, @check, @uncheck. Again for more.",
    ),
    click.option(
        "--step",
        "steps",
        multiple=True,
        callback=read_steps,
        metavar="ACTION:CSS",
        help="Before the captcha is looked for: click, focus, hover, wait_for, type:CSS=>VALUE. Again for more.",
    ),
    click.option("--task-deadline", type=_DEADLINE, metavar="SECONDS", help="Time after which the task fails."),
    click.option("--return-session", is_flag=True, help="Return the page's cookies and storage."),
    click.option("--evidence", is_flag=True, help="Keep the picture and a screenshot with the result."),
    click.option("--callback-url", metavar="URL", help="Where the result is POSTed once the task has ended."),
    _json_option("--metadata", "Given back with the result."),
)


def task_options(function: Decorated) -> Decorated:
    """Add the options of a task, in the order of the help."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def make_task_body(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body that the options ask for; what is not given is left to the gateway's defaults."""
    image_path = options.get("image_path")
    if (options.get("url") is None) == (image_path is None):
        raise click.UsageError("give either a URL or --image FILE")
    body: dict[str, Any] = {name: options[name] for name in _PLAIN if options.get(name) is not None}
    body |= {name: True for name in _FLAGS if options.get(name)}
    if options.get("steps"):
        body["steps"] = list(options["steps"])
    hints = {name: options[name] for name in _HINTS if options.get(name) is not None}
    check_lengths(hints.get("min_length"), hints.get("max_length"))
    if hints:
        body["hints"] = hints
    fill = _make_fill(options)
    if fill is not None:
        body["fill"] = fill
    if image_path is not None:
        body["image"] = base64.b64encode(_read_picture(image_path)).decode()
    return body


def _make_fill(options: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the form: --fill, and over it the options for its parts."""
    parts = {name: options[option] for option, name in _FILL.items() if options.get(option) is not None}
    if options.get("fields"):
        parts["fields"] = list(options["fields"])
    whole = options.get("fill")
    if whole is None and not parts:
        return None
    fill = {**(whole or {}), **parts}
    if "input" not in fill:
        raise click.UsageError("a form needs --fill-input, the field to type the text into")
    return fill


def _read_picture(path: str) -> bytes:
    picture = _read_whole_picture(path)
    if len(picture) > PICTURE_LIMIT_BYTES:
        raise click.UsageError(f"--image: {PICTURE_TOO_LARGE}")
    return picture


def _read_whole_picture(path: str) -> bytes:
    if path == STANDARD_INPUT:
        return sys.stdin.buffer.read(PICTURE_LIMIT_BYTES + 1)
    try:
        return _read_bytes(path, PICTURE_LIMIT_BYTES)
    except click.BadParameter as error:
        raise click.UsageError(f"--image: {error.message}") from None
