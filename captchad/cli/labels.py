"""Labelled folders for the commands that measure and train."""

import sys
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

    try:
        return read_labelled_folder(folder)
    except LabelsRefused as error:
        for line in error.lines():
            say(f"captchad: {line}", is_error=True)
        sys.exit(EXIT_FAILED)
