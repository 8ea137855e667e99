"""Turns what the validation library found into plain English, with dotted paths and without secrets."""

import json
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from captchad.config.layers import Layers
from captchad.config.requirements import COUNTS, say_what_is_wanted
from captchad.config.setting_names import find_setting, nearest_setting
from captchad.config.validation import make_path
from captchad.domain.errors import ConfigurationProblem

VALUE_LENGTH_LIMIT = 60


def explain(error: ValidationError, layers: Layers) -> list[ConfigurationProblem]:
    """Return one problem for every wrong setting that the sections' validation found."""
    return [_explain_one(details, layers) for details in error.errors(include_url=False) if not _is_echo(details)]


def _is_echo(details: ErrorDetails) -> bool:
    """Whether a list is called too short only because of its wrong elements, which are named themselves."""
    given = details["input"]
    return details["type"] == "too_short" and isinstance(given, list) and len(given) >= details["ctx"]["min_length"]


def _explain_one(details: ErrorDetails, layers: Layers) -> ConfigurationProblem:
    path = make_path(details["loc"])
    return ConfigurationProblem(path, _describe(details, path), layers.label_of(path))


def _describe(details: ErrorDetails, path: str) -> str:
    kind = details["type"]
    if kind == "extra_forbidden":
        return f"unknown key; the nearest known one is {nearest_setting(details['loc'])}"
    if kind == "missing":
        return "is required"
    wanted = say_what_is_wanted(details)
    # A count says enough: what was given may be long.
    shown = "" if wanted is None or kind in COUNTS else _show(details["input"], path)
    if wanted is not None:
        return f"{wanted}, not {shown}" if shown else wanted
    message = details["msg"]
    return message[:1].lower() + message[1:]


def _show(value: Any, path: str) -> str:
    setting = find_setting(path)
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    if setting is None or setting.is_secret:
        return ""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= VALUE_LENGTH_LIMIT else f"{text[:VALUE_LENGTH_LIMIT]}…"
