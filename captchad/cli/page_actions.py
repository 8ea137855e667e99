"""The options `--field` and `--step` of `captchad submit`: what is done on a page beside the captcha."""

import os
from collections.abc import Sequence
from typing import Any, get_args

import click

from captchad.domain.page import StepAction

ARROW = "=>"
_ENVIRONMENT, _CHOOSE, _CHECK, _UNCHECK, _LITERAL = "@env:", "@choose:", "@check", "@uncheck", "@@"


def read_fields(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> list[dict[str, Any]]:
    """Read fields of a form as `CSS=>VALUE`."""
    return [_read_field(value) for value in values]


def read_steps(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> list[dict[str, str]]:
    """Read steps as `ACTION:CSS`, and `type:CSS=>VALUE`."""
    return [_read_step(value) for value in values]


def _read_field(text: str) -> dict[str, Any]:
    selector, value = _split(text)
    if value in (_CHECK, _UNCHECK):
        return {"selector": selector, "check": value == _CHECK}
    if value.startswith(_CHOOSE):
        return {"selector": selector, "choose": value.removeprefix(_CHOOSE)}
    return {"selector": selector, "value": _read_value(value)}


def _read_step(text: str) -> dict[str, str]:
    action, colon, rest = text.partition(":")
    if not colon or action not in get_args(StepAction):
        raise click.BadParameter(f"{text!r} does not begin with one of {', '.join(get_args(StepAction))}, and a colon")
    if action != "type":
        return {action: rest}
    selector, value = _split(rest)
    return {action: selector, "value": _read_value(value)}


def _split(text: str) -> tuple[str, str]:
    selector, arrow, value = text.partition(ARROW)
    if not arrow:
        raise click.BadParameter(f"{text!r} has no {ARROW} between the CSS selector and the value")
    return selector.strip(), value


def _read_value(value: str) -> str:
    """Read a value: text, `@env:NAME` (what must not be in the list of processes), or `@@…` for a text with an @."""
    if value.startswith(_LITERAL):
        return value[1:]
    if not value.startswith(_ENVIRONMENT):
        return value
    name = value.removeprefix(_ENVIRONMENT)
    found = os.environ.get(name)
    if found is None:
        raise click.BadParameter(f"the environment has no {name}")
    return found
