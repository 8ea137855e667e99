"""Reads captchad.env as systemd reads a unit's EnvironmentFile=."""

import re
from collections.abc import Iterator

# Quotes count at a value's beginning alone, and may span lines; one that is not closed ends with the file.
_QUOTED = r""" "(?:[^"\\]|\\.)*(?:"|\Z) | '[^']*(?:'|\Z) """
_ASSIGNMENT = re.compile(
    rf"""^[ \t\r]* (?P<name>[^\s=\#;][^\n=]*) =
    (?P<quoted>(?:[ \t\r]*(?:{_QUOTED}))*) [ \t\r]* (?P<plain>(?:\\.|[^\\\n])*)""",
    re.MULTILINE | re.VERBOSE | re.DOTALL,
)
_PIECE = re.compile(_QUOTED, re.VERBOSE | re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONTINUED = re.compile(r"\\\n")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED_IN_QUOTES = re.compile(r"""\\(["\\`$])""")


def parse_environment_file(text: str) -> dict[str, str]:
    """Return the variables that a file sets; what sets none is passed over, as systemd does."""
    return dict(_read_assignments(text))


def _read_assignments(text: str) -> Iterator[tuple[str, str]]:
    for found in _ASSIGNMENT.finditer(text):
        name = found["name"].strip()
        if _NAME.fullmatch(name):
            plain = _ESCAPED.sub(r"\1", _CONTINUED.sub("", found["plain"])).rstrip()
            yield name, "".join(map(_unquote, _PIECE.findall(found["quoted"]))) + plain


def _unquote(piece: str) -> str:
    quote, inner = piece[0], piece[1:].removesuffix(piece[0])
    return inner if quote == "'" else _ESCAPED_IN_QUOTES.sub(r"\1", _CONTINUED.sub("", inner))
