"""What an operator does to the label store, each act with its entry in the store's journal."""

import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from captchad.domain.label import Label, LabelOrigin, Verdict, write_time
from captchad.operations.labels.journal import Journal
from captchad.operations.labels.label_files import StoredLabel
from captchad.operations.labels.label_folder import read_importable
from captchad.operations.labels.label_store import LabelStore
from captchad.recognition.labelled import LabelledPicture
from captchad.runtime.clock import Clock

_ID_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Import:
    """What became of a folder's labels: new ones, texts corrected, those the store had, those it did not keep."""

    added: int = 0
    corrected: int = 0
    known: int = 0
    dropped: int = 0


class LabelActs:
    """Imports and deletes labels on behalf of `who`."""

    def __init__(self, store: LabelStore, journal: Journal, who: str, clock: Clock) -> None:
        self._store = store
        self._journal = journal
        self._who = who
        self._clock = clock

    def import_folder(self, host: str, folder: Path) -> Import:
        """Add a folder's labels to a target's; LabelsRefused, and nothing done, where one of them can't be used.

        A picture that an export has named after its label corrects that label; any other is a label of its own, once.
        """
        pictures = read_importable(folder)
        known: dict[str, Label] = {label.label_id: label for label in self._store.read(host)}
        now_ms = self._clock.now_ms()
        fates = Counter(
            # A millisecond apart, so that they keep the folder's order.
            self._import(known, self._make_label(host, labelled, picture, now_ms + index), picture, labelled.path)
            for index, (labelled, picture) in enumerate(pictures)
        )
        self._journal.note("import", self._who, host, fates["added"] + fates["corrected"])
        return Import(**fates)

    def delete_host(self, host: str) -> int:
        """Delete every label of a target; return how many there were."""
        deleted = self._store.delete_host(host)
        self._journal.note("delete", self._who, host, deleted)
        return deleted

    def delete(self, label_ids: Collection[str]) -> int:
        """Delete labels by their ids; return how many there were."""
        deleted = self._store.delete(label_ids)
        self._journal.note("delete", self._who, None, deleted)
        return deleted

    def _make_label(self, host: str, labelled: LabelledPicture, picture: bytes, at_ms: int) -> Label:
        digest = hashlib.sha256(b"\0".join((host.encode(), picture))).hexdigest()[:_ID_DIGITS]
        return Label(
            label_id=f"import-{digest}",
            host=host,
            text=labelled.text,
            verdict=Verdict.RIGHT,
            origin=LabelOrigin.IMPORTED,
            task_id=None,
            at=write_time(at_ms),
            who=self._who,
        )

    def _import(self, known: dict[str, Label], label: Label, picture: bytes, path: Path) -> str:
        """Add a label, or correct the one that there is of this picture; return which member of Import counts it."""
        exported = known.get(unquote(path.stem))
        is_exported = isinstance(exported, StoredLabel) and exported.picture == picture
        earlier = exported if is_exported else known.get(label.label_id)
        if earlier is None:
            if not self._store.add(label, picture).is_kept:
                return "dropped"
            # A folder may have a picture twice.
            known[label.label_id] = label
            return "added"
        if (earlier.text, earlier.verdict) == (label.text, label.verdict):
            return "known"
        self._store.correct(earlier.label_id, label.text, self._who)
        return "corrected"
