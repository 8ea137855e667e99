"""Escapes untrusted text for logs, terminals and metrics."""

import re

_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LARGEST_BYTE = 0xFF


def escape_control_characters(text: str) -> str:
    """Write line breaks, escape sequences, direction marks and lone surrogates as visible escapes."""
    return _STEERING.sub(_escape, text)


def repair_surrogates(text: str) -> str:
    """Write lone surrogates, which no UTF-8 can carry, as visible escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def escape_label_value(text: str) -> str:
    """Return the text escaped for a Prometheus label value."""
    return repair_surrogates(text).replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def escape_help(text: str) -> str:
    """Return the text escaped for a Prometheus HELP line."""
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _escape(match: "re.Match[str]") -> str:
    character = match.group()
    number = ord(character)
    return _SHORT.get(character) or (f"\\x{number:02x}" if number <= _LARGEST_BYTE else f"\\u{number:04x}")
