"""Turns what the validation library found into plain English, with dotted paths and without secrets."""

import json
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from captchad.config.layers import Layers
from captchad.config.setting_names import find_setting, nearest_setting
from captchad.config.validation import make_path
from captchad.domain.errors import ConfigurationProblem

VALUE_LENGTH_LIMIT = 60
_WANTED = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of usual size",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text in quotes",
    "tuple_type": "must be a list [ … ]",
    "dict_type": "must be an object { … }",
    "model_type": "must be an object { … }",
    "model_attributes_type": "must be an object { … }",
    "date_type": "must be a date such as 2027-01-31",
    "date_parsing": "must be a date such as 2027-01-31",
    "date_from_datetime_parsing": "must be a date such as 2027-01-31",
    "date_from_datetime_inexact": "must be a date such as 2027-01-31",
}
_BOUNDS = {
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be one of {expected}",
}
_COUNTS = {
    "too_short": "must have at least {min_length} element(s)",
    "string_too_short": "must have at least {min_length} character(s)",
    "string_too_long": "must have at most {max_length} characters",
}


def explain(error: ValidationError, layers: Layers) -> list[ConfigurationProblem]:
    """Return one problem for every wrong setting that the sections' validation found."""
    return [_explain_one(details, layers) for details in error.errors(include_url=False)]


def _explain_one(details: ErrorDetails, layers: Layers) -> ConfigurationProblem:
    path = make_path(details["loc"])
    return ConfigurationProblem(path, _describe(details, path), layers.label_of(path))


def _describe(details: ErrorDetails, path: str) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown key; the nearest known one is {nearest_setting(details['loc'])}"
    if kind == "missing":
        return "is required"
    shown = _show(details["input"], path)
    if kind in _WANTED:
        return f"{_WANTED[kind]}, not {shown}" if shown else _WANTED[kind]
    if kind in _BOUNDS:
        wanted = _BOUNDS[kind].format(**context)
        return f"{wanted}, not {shown}" if shown else wanted
    if kind in _COUNTS:
        return _COUNTS[kind].format(**context)
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
