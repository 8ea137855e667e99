"""The label store's journal: who imported and deleted labels, and when."""

import os
from pathlib import Path

import orjson

from captchad.domain.label import write_time
from captchad.operations.labels.label_files import locked
from captchad.runtime.clock import Clock
from captchad.runtime.durable_files import FILE_MODE, FOLDER_MODE

JOURNAL_FILE_NAME = "journal.jsonl"


class Journal:
    """Lines of JSON that are only ever appended."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    def note(self, act: str, who: str, host: str | None, labels: int) -> None:
        """Append an act: what was done, by whom, to which target (None: to labels by their ids), and to how many."""
        self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        entry = {"at": write_time(self._clock.now_ms()), "act": act, "who": who, "host": host, "labels": labels}
        with locked(self._folder):
            descriptor = os.open(self._folder / JOURNAL_FILE_NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, FILE_MODE)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(orjson.dumps(entry) + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
