"""Measures a JSON body's structure while it arrives, so that one that would be costly to parse is never parsed."""

import re
from typing import NoReturn

from captchad.domain.errors import InvalidRequest, Violation

DEPTH_LIMIT = 256
VALUES_LIMIT = 10_000
"""For one task: 300 cookies, 1000 stored values, 100 headers and 4 KiB of metadata have fewer."""
STRINGS_LIMIT = 2 * VALUES_LIMIT
"""No value has more than a name and itself."""
MARKS_PER_STEP = 256
_INVALID = "the body is not valid"
_NOT_JSON = "the body is not valid JSON"
_TASKS_DEPTH = 2
_MARK = re.compile(rb'["\[\]{}]')
# Possessive: what follows a string can't make the search begin anew.
_REST_OF_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_BACKSLASH = ord("\\")
_WHITE_SPACE = b" \t\n\r"


class BodyMeter:
    """Counts depth, values and tasks of a body that comes in pieces; of JSON it checks only what bounds them.

    `most_tasks` is 1 for a body that is one task; else the tasks are the elements of a list in the body's object.
    Whatever a limit refuses costs no more than the piece it is in.
    """

    def __init__(self, most_tasks: int = 1) -> None:
        self._most_tasks = most_tasks
        self._tasks = 1
        self._depth = 0
        self._values = 0
        self._strings = 0
        self._is_over = False
        self._is_in_string = False
        self._is_escaped = False

    @property
    def tasks(self) -> int:
        """How many tasks have begun, at least 1."""
        return self._tasks

    def feed(self, piece: bytes, at: int = 0) -> int:
        """Measure some of a piece, from `at` on; return how far it is measured, which may be all of it.

        InvalidRequest where the body exceeds a limit. One step finds so many marks at most, since each takes time.
        """
        for _ in range(MARKS_PER_STEP):
            if at >= len(piece):
                break
            at = self._skip_string(piece, at) if self._is_in_string else self._read_mark(piece, at)
        return at

    def _skip_string(self, piece: bytes, at: int) -> int:
        if self._is_escaped:
            self._is_escaped = False
            return at + 1
        found = _REST_OF_STRING.match(piece, at)
        assert found is not None
        end = found.end()
        if end < len(piece):
            self._is_escaped = piece[end] == _BACKSLASH
            self._is_in_string = self._is_escaped
            self._is_over = self._depth == 0 and not self._is_in_string
        return end + 1

    def _read_mark(self, piece: bytes, at: int) -> int:
        found = _MARK.search(piece, at)
        end = len(piece) if found is None else found.start()
        if self._is_over and (found is not None or piece[at:end].strip(_WHITE_SPACE)):
            raise InvalidRequest(f"{_NOT_JSON}: something follows its value")
        # All at once: between two marks lie the elements of one list or object.
        self._separate(piece.count(b",", at, end))
        if found is None:
            return end
        match found.group():
            case b'"':
                self._begin_string()
            case b"[" | b"{":
                self._open()
            case _:
                self._close()
        return found.end()

    def _open(self) -> None:
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            raise InvalidRequest(f"the body is nested too deeply, more than {DEPTH_LIMIT} levels")
        self._count_values(1)

    def _close(self) -> None:
        if self._depth == 0:
            raise InvalidRequest(f"{_NOT_JSON}: it closes what it has not opened")
        self._depth -= 1
        self._is_over = self._depth == 0

    def _begin_string(self) -> None:
        self._is_in_string = True
        self._strings += 1
        if self._strings > STRINGS_LIMIT:
            self._refuse_values()

    def _separate(self, commas: int) -> None:
        if commas and self._most_tasks > 1 and self._depth == _TASKS_DEPTH:
            self._tasks, self._values, self._strings = self._tasks + commas, 0, 0
            if self._tasks > self._most_tasks:
                violation = Violation("/tasks", f"has more than {self._most_tasks} tasks")
                raise InvalidRequest(_INVALID, (violation,))
        self._count_values(commas)

    def _count_values(self, count: int) -> None:
        self._values += count
        if self._values > VALUES_LIMIT:
            self._refuse_values()

    def _refuse_values(self) -> NoReturn:
        pointer = f"/tasks/{self._tasks - 1}" if self._most_tasks > 1 else ""
        raise InvalidRequest(_INVALID, (Violation(pointer, f"has more than {VALUES_LIMIT} values"),))
