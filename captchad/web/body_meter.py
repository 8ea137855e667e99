"""Measures a JSON body's structure while it arrives, so that one that would be costly to parse is never parsed."""

import re

from captchad.domain.errors import InvalidRequest, Violation

DEPTH_LIMIT = 256
VALUES_LIMIT = 10_000
"""For one task: 300 cookies, 1000 stored values, 100 headers and 4 KiB of metadata have fewer."""
_INVALID = "the body is not valid"
_TASKS_DEPTH = 2
_MARK = re.compile(rb'["\[\]{}]')
# Possessive: what follows a string can't make the search begin anew.
_REST_OF_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_BACKSLASH = ord("\\")


class BodyMeter:
    """Counts depth, values and tasks of a body that comes in pieces, without checking that it is JSON at all.

    `most_tasks` is 1 for a body that is one task; else the tasks are the elements of a list in the body's object.
    Whatever a limit refuses costs no more than the piece it is in.
    """

    def __init__(self, most_tasks: int = 1) -> None:
        self._most_tasks = most_tasks
        self._tasks = 1
        self._depth = 0
        self._values = 0
        self._is_in_string = False
        self._is_escaped = False

    @property
    def tasks(self) -> int:
        """How many tasks have begun, at least 1."""
        return self._tasks

    def feed(self, piece: bytes) -> None:
        """Measure the next piece; InvalidRequest where the body exceeds a limit."""
        at = 0
        while at < len(piece):
            at = self._skip_string(piece, at) if self._is_in_string else self._read_mark(piece, at)

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
        return end + 1

    def _read_mark(self, piece: bytes, at: int) -> int:
        found = _MARK.search(piece, at)
        end = len(piece) if found is None else found.start()
        # All at once: between two marks lie the elements of one list or object.
        self._separate(piece.count(b",", at, end))
        if found is None:
            return end
        match found.group():
            case b'"':
                self._is_in_string = True
            case b"[" | b"{":
                self._open()
            case _:
                self._depth -= 1
        return found.end()

    def _open(self) -> None:
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            raise InvalidRequest(f"the body is nested too deeply, more than {DEPTH_LIMIT} levels")
        self._count_values(1)

    def _separate(self, commas: int) -> None:
        if commas and self._most_tasks > 1 and self._depth == _TASKS_DEPTH:
            self._tasks, self._values = self._tasks + commas, 0
            if self._tasks > self._most_tasks:
                violation = Violation("/tasks", f"has more than {self._most_tasks} tasks")
                raise InvalidRequest(_INVALID, (violation,))
        self._count_values(commas)

    def _count_values(self, count: int) -> None:
        self._values += count
        if self._values > VALUES_LIMIT:
            pointer = f"/tasks/{self._tasks - 1}" if self._most_tasks > 1 else ""
            raise InvalidRequest(_INVALID, (Violation(pointer, f"has more than {VALUES_LIMIT} values"),))
