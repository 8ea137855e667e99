"""Checks that a text is a CSS selector, and nothing else that browser drivers accept as one.

Drivers also read `xpath=…`, `text=…`, `//…`, `>>` and pseudo-classes of their own; pages are searched by CSS only.
"""

import re

# Bounds the recursion of a crafted selector.
NESTING_LIMIT = 8
# Possessive quantifiers (`++`, `?+`) never backtrack, so that no crafted text takes long.
_ESCAPE = r"\\(?:[0-9A-Fa-f]{1,6}+\s?+|[^\n\r\f0-9A-Fa-f])"
_NAME = rf"(?:[\w-]|[^\x00-\x7f]|{_ESCAPE})++"
_IDENTIFIER = rf"(?:--|-?(?:[A-Za-z_]|[^\x00-\x7f]|{_ESCAPE}))(?:{_NAME})?+"
_STRING = r"""(?:"(?:[^"\\\n\r\f]|\\.)*+"|'(?:[^'\\\n\r\f]|\\.)*+')"""
_VALUE = rf"(?:{_STRING}\s*+(?:[iIsS]\s*+)?|{_IDENTIFIER}(?:\s++[iIsS])?\s*+)"

_SPACE = re.compile(r"[ \t\n\r\f]*")
_COMBINATOR = re.compile(r"[>+~]")
_TYPE = re.compile(rf"\*|{_IDENTIFIER}", re.ASCII)
_SIMPLE = re.compile(rf"#{_NAME}|\.{_IDENTIFIER}|\[\s*+{_IDENTIFIER}\s*+(?:[~|^$*]?=\s*+{_VALUE})?\]", re.ASCII)
_PSEUDO = re.compile(r":([A-Za-z-]+)(\(?)")
_NTH = re.compile(r"\s*(?:even|odd|[+-]?\d*n(?:\s*[+-]\s*\d+)?|[+-]?\d+)\s*(of(?=\s))?", re.IGNORECASE | re.ASCII)
_WORDS = re.compile(rf"\s*(?:{_STRING}|{_IDENTIFIER})\s*(?:,\s*(?:{_STRING}|{_IDENTIFIER})\s*)*+", re.ASCII)

_PLAIN_PSEUDO_CLASSES = re.compile(
    "active|any-link|autofill|checked|default|defined|disabled|empty|enabled|first-child|first-of-type|focus|"
    "focus-visible|focus-within|fullscreen|hover|in-range|indeterminate|invalid|last-child|last-of-type|link|modal|"
    "only-child|only-of-type|open|optional|out-of-range|placeholder-shown|popover-open|read-only|read-write|required|"
    "root|scope|target|user-invalid|user-valid|valid|visited"
)
_SELECTOR_PSEUDO_CLASSES = frozenset({"is", "not", "where", "has"})
_NTH_PSEUDO_CLASSES = frozenset({"nth-child", "nth-last-child", "nth-of-type", "nth-last-of-type"})
_WORD_PSEUDO_CLASSES = frozenset({"dir", "lang"})


class _NotCss(Exception):
    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


def explain_bad_selector(text: str) -> str | None:
    """Return why a text is not a list of CSS selectors, None where it is one."""
    try:
        _Reader(text).read_all()
    except _NotCss as error:
        rest = text[error.position : error.position + 16]
        found = repr(rest) if rest else "its end"
        return f"is not a CSS selector; character {error.position + 1} can't be read: {found}"
    return None


class _Reader:
    """Steps through a selector; every `read` raises _NotCss where it can't go on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._depth = 0

    def read_all(self) -> None:
        self._read_list()
        if self._position < len(self._text):
            raise _NotCss(self._position)

    def _read_list(self, is_relative: bool = False) -> None:
        self._read_complex(is_relative)
        while self._skip(","):
            self._read_complex(is_relative)

    def _read_complex(self, is_relative: bool) -> None:
        self._match(_SPACE)
        if is_relative and self._match(_COMBINATOR):
            self._match(_SPACE)
        self._read_compound()
        while True:
            is_apart = bool(self._match(_SPACE))
            if self._peek() in {"", ",", ")"}:
                return
            if self._match(_COMBINATOR):
                self._match(_SPACE)
            elif not is_apart:
                raise _NotCss(self._position)
            self._read_compound()

    def _read_compound(self) -> None:
        start = self._position
        self._match(_TYPE)
        while self._match(_SIMPLE) or self._read_pseudo_class():
            pass
        if self._position == start:
            raise _NotCss(start)

    def _read_pseudo_class(self) -> bool:
        found = _PSEUDO.match(self._text, self._position)
        if found is None:
            return False
        name, has_arguments = found.group(1).lower(), bool(found.group(2))
        if not has_arguments:
            if not _PLAIN_PSEUDO_CLASSES.fullmatch(name):
                raise _NotCss(self._position)
            self._position = found.end()
            return True
        start, self._position = self._position, found.end()
        self._depth += 1
        if self._depth > NESTING_LIMIT:
            raise _NotCss(start)
        self._read_arguments(name, start)
        self._depth -= 1
        if not self._skip(")"):
            raise _NotCss(self._position)
        return True

    def _read_arguments(self, name: str, start: int) -> None:
        if name in _SELECTOR_PSEUDO_CLASSES:
            self._read_list(is_relative=name == "has")
        elif name in _NTH_PSEUDO_CLASSES:
            number = _NTH.match(self._text, self._position)
            if number is None:
                raise _NotCss(self._position)
            self._position = number.end()
            if number.group(1):
                self._read_list()
        elif name not in _WORD_PSEUDO_CLASSES:
            raise _NotCss(start)
        elif not self._match(_WORDS):
            raise _NotCss(self._position)

    def _match(self, pattern: re.Pattern[str]) -> str:
        """Step over what the pattern matches here, and return it; empty where it does not match."""
        found = pattern.match(self._text, self._position)
        if found is None:
            return ""
        self._position = found.end()
        return found.group()

    def _skip(self, character: str) -> bool:
        if self._peek() != character:
            return False
        self._position += 1
        return True

    def _peek(self) -> str:
        return self._text[self._position : self._position + 1]
