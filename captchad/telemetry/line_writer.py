"""Writes lines that somebody will read, and counts those that could not be written."""

import os
from collections.abc import Callable
from functools import partial
from typing import TextIO

Write = Callable[[bytes], int]
"""Writes bytes and returns how many it took, as os.write does."""


class LineWriter:
    """Writes a line at a time; a full disk or a closed pipe costs lines, never their writer.

    The next line that can be written comes after one that says how many are missing, in the words of `word_loss`.
    """

    def __init__(self, write: Write, word_loss: Callable[[str], bytes]) -> None:
        self._write = write
        self._word_loss = word_loss
        self._lost_ever = 0
        self._lost_lately = 0
        self._failure = ""
        self._is_torn = False

    @property
    def lost_lines(self) -> int:
        """How many lines were ever lost."""
        return self._lost_ever

    @property
    def failure(self) -> str:
        """Why lines can't be written now; empty where they can."""
        return self._failure

    def put(self, line: bytes) -> None:
        """Write a line, given without its line break."""
        try:
            if self._lost_lately:
                self._put_whole(self._word_loss(f"{self._lost_lately} lines could not be written: {self._failure}"))
                self._lost_lately, self._failure = 0, ""
            self._put_whole(line)
        except OSError as error:
            self._lost_ever += 1
            self._lost_lately += 1
            self._failure = error.strerror or type(error).__name__

    def _put_whole(self, line: bytes) -> None:
        # What is left of a line that was written in part must not run into this one.
        rest = (b"\n" if self._is_torn else b"") + line + b"\n"
        while rest:
            rest = rest[self._write(rest) :]
            self._is_torn = bool(rest)


def find_write(stream: TextIO) -> Write:
    """Return what writes to a stream's file without a buffer: what a disk refuses must not come later, in pieces."""
    try:
        return partial(os.write, stream.fileno())
    except OSError:
        # A stream in memory.
        return lambda line: len(line) if stream.write(line.decode()) else 0
