"""Words for what the validation library wants of a value, the same for settings and for bodies."""

from pydantic_core import ErrorDetails

_KINDS = {
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
    "list_type": "must be a list [ … ]",
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
    "greater_than": "must be greater than {gt:.16g}",
    "greater_than_equal": "must be at least {ge:.16g}",
    "less_than": "must be less than {lt:.16g}",
    "less_than_equal": "must be at most {le:.16g}",
    "literal_error": "must be one of {expected}",
}
COUNTS = {
    "too_short": "must have at least {min_length} element(s)",
    "too_long": "must have at most {max_length} elements",
    "string_too_short": "must have at least {min_length} character(s)",
    "string_too_long": "must have at most {max_length} characters",
}
"""Kinds of error about a number of elements or characters."""


def say_what_is_wanted(details: ErrorDetails) -> str | None:
    """Return what a wrong value must be, or None where only the error's own message says it."""
    kind = details["type"]
    template = _BOUNDS.get(kind) or COUNTS.get(kind)
    return _KINDS.get(kind) if template is None else template.format(**details.get("ctx", {}))
