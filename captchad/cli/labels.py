"""Labelled folders for the commands that measure, train and collect."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from captchad.cli.printing import say
from captchad.domain.errors import LabelsRefused
from captchad.domain.exit_codes import EXIT_FAILED

if TYPE_CHECKING:
    from captchad.recognition.labelled import LabelledPicture


def read_labels(folder: Path) -> "tuple[LabelledPicture, ...]":
    """Read a folder's labels; what is wrong with them is printed line by line, and ends the command."""
    # The decoders take a while to load: `--help` must not wait for them.
    from captchad.recognition.labelled import read_labelled_folder  # noqa: PLC0415

    with explain_refused_labels():
        return read_labelled_folder(folder)


@contextlib.contextmanager
def explain_refused_labels() -> Iterator[None]:
    """Print what is wrong with a folder's labels line by line, and end the command."""
    try:
        yield
    except LabelsRefused as error:
        for line in error.lines():
            say(f"captchad: {line}", is_error=True)
        sys.exit(EXIT_FAILED)
