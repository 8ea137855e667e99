"""Text that others wrote (pages, callers, files), made safe to show: escaped, and cut to a length."""

import re

MESSAGE_LIMIT_BYTES = 1024
ELLIPSIS = "…"

STEERING = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
"""What could steer a terminal, within the brackets of a pattern, whoever reads it; surrogates apart."""
_STEERING = re.compile(rf"[{STEERING}\ud800-\udfff]")
# Beyond ASCII alone: in JSON text, what is below is escaped already or formats it.
_STEERING_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LARGEST_BYTE = 0xFF


def escape_control_characters(text: str) -> str:
    """Write line breaks, escape sequences, direction marks and lone surrogates as visible escapes."""
    return _STEERING.sub(_escape, text)


def escape_in_json(text: str) -> str:
    """Write what could steer a terminal as JSON's own escapes, which mean the same to whoever reads the JSON."""
    return _STEERING_IN_JSON.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def cut_text(text: str, limit_bytes: int) -> str:
    """Return as much of a text as has so many bytes in UTF-8, with an ellipsis where there was more."""
    encoded = text[: limit_bytes + 1].encode(errors="backslashreplace")
    if len(encoded) <= limit_bytes:
        return text
    # Without the part of a character that may be left at the end.
    return encoded[: limit_bytes - len(ELLIPSIS.encode())].decode(errors="ignore") + ELLIPSIS


def bound_message(text: str, limit_bytes: int = MESSAGE_LIMIT_BYTES) -> str:
    """Return a text escaped, and cut to so many bytes of UTF-8."""
    # Cut first too: escaping megabytes would take long.
    return cut_text(escape_control_characters(text[: limit_bytes + 1]), limit_bytes)


def _escape(match: "re.Match[str]") -> str:
    character = match.group()
    number = ord(character)
    return _SHORT.get(character) or (f"\\x{number:02x}" if number <= _LARGEST_BYTE else f"\\u{number:04x}")
