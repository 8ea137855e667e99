"""The learner's work on one target: from its labels in the store to a model that every worker reads it with."""

import json
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Protocol, TypeVar

from captchad.broker.learned_models import LearnedModels
from captchad.domain.errors import DependencyMissing
from captchad.domain.label import Verdict
from captchad.domain.learned_model import PACKAGED
from captchad.recognition.captchad_engine import load_captchad_engine
from captchad.recognition.model import find_packaged_weights
from captchad.recognition.model_shelf import MODELS_FOLDER_NAME, ModelShelf
from captchad.runtime.clock import Clock
from captchad.runtime.durable_files import write_whole
from captchad.training.learning import Learned, learn
from captchad.training.lesson import LEAST_RIGHT_LABELS, KeptLabel, TooFewLabels, make_lesson
from captchad.training.weights import load_starting_point

LEARNING_FOLDER_NAME = "learning"
"""Below the state folder: what was learned from last, of each target."""
NEW_LABELS_MOST = 1000
"""`--auto` learns a target again once it has as many new right labels as it had the last time, or this many."""

Result = TypeVar("Result")


class Fate(StrEnum):
    """What became of an attempt to learn a target."""

    INSTALLED = "installed"
    NO_BETTER = "no_better"
    TOO_FEW = "too_few"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a target, its right labels, and what was learned (None where nothing was)."""

    host: str
    fate: Fate
    right: int
    learned: Learned | None = None
    model: str | None = None


class Labels(Protocol):
    """The label store, as far as it is read here."""

    def read(self, host: str) -> Sequence[KeptLabel]:
        """Return a target's labels in time order."""
        ...


class Ask(Protocol):
    """Connects to Redis for one question: a training takes too long for one connection."""

    def __call__(self, work: Callable[[LearnedModels], Awaitable[Result]]) -> Result:
        """Return the answer."""
        ...


class Learner:
    """Learns targets one after another; its folders lie in this host's state folder."""

    def __init__(self, state_directory: Path, labels: Labels, ask: Ask, clock: Clock) -> None:
        self._shelf = ModelShelf(state_directory / MODELS_FOLDER_NAME)
        self._notes = state_directory / LEARNING_FOLDER_NAME
        self._labels = labels
        self._ask = ask
        self._clock = clock

    def is_due(self, host: str) -> bool:
        """Whether a target has enough right labels, and enough new ones since it was learned the last time."""
        right = _select_right(self._labels.read(host))
        newest, learned_from = self._read_note(host)
        fresh = sum(label.at > newest for label in right)
        return len(right) >= LEAST_RIGHT_LABELS and fresh >= max(1, min(learned_from, NEW_LABELS_MOST))

    def learn(self, host: str, report: Callable[[str], None]) -> Outcome:
        """Learn a target and install the model if it reads more; DependencyMissing where its present one is lost."""
        labels = self._labels.read(host)
        right = _select_right(labels)
        try:
            lesson = make_lesson(labels, host)
        except TooFewLabels as error:
            return Outcome(host, Fate.TOO_FEW, error.found)
        present = self._find_present(host)
        is_packaged = present == PACKAGED
        begun = load_starting_point(find_packaged_weights() if is_packaged else self._shelf.path(present))
        engine = load_captchad_engine(None if is_packaged else self._shelf.path(present))
        with tempfile.TemporaryDirectory(prefix="captchad-learn-") as folder:
            learned = learn(begun, engine, lesson, Path(folder) / "model.onnx", self._clock, report)
            self._write_note(host, right[-1].at, len(right))
            if not learned.comparison.is_better:
                return Outcome(host, Fate.NO_BETTER, len(right), learned)
            model = self._install(host, learned.path.read_bytes(), present)
        return Outcome(host, Fate.OVERTAKEN if model is None else Fate.INSTALLED, len(right), learned, model)

    def restore(self, host: str) -> bool:
        """Hand a target's model on again where Redis has lost it but this host has not; whether that was so."""
        remembered = self._shelf.recall(host)
        if remembered is None or remembered.present == PACKAGED or self._ask(lambda models: models.read([host])):
            return False
        try:
            self._shelf.check(remembered.present)
        except DependencyMissing:
            return False
        return self._install(host, self._shelf.path(remembered.present).read_bytes(), PACKAGED) is not None

    def _find_present(self, host: str) -> str:
        """Return the digest of a target's present model, which is on this host then."""
        choices = self._ask(lambda models: models.read([host]))
        digest = choices[host].present if host in choices else PACKAGED
        if digest == PACKAGED:
            return PACKAGED
        try:
            self._shelf.check(digest)
        except DependencyMissing:
            file = self._ask(lambda models: models.fetch(host, digest))
            if file is None:
                raise DependencyMissing(
                    f"the present model {digest[:8]} of {host} is neither here nor in Redis; go back to the one before "
                    f"it with `captchad learn {host} --rollback`"
                ) from None
            self._shelf.put(digest, file)
        return digest

    def _install(self, host: str, file: bytes, replaced: str) -> str | None:
        model = self._ask(lambda models: models.install(host, file, replaced))
        if model is not None:
            choices = self._ask(lambda models: models.read([host]))
            self._shelf.put(model, file)
            self._shelf.remember(host, choices[host])
            self._shelf.tidy(choices)
        return model

    def _read_note(self, host: str) -> tuple[str, int]:
        try:
            values = json.loads(self._note_path(host).read_text(encoding="utf-8"))
            return str(values["newest"]), int(values["right"])
        except (OSError, ValueError, KeyError, TypeError):
            return "", 0

    def _write_note(self, host: str, newest: str, right: int) -> None:
        write_whole(self._note_path(host), json.dumps({"host": host, "newest": newest, "right": right}).encode())

    def _note_path(self, host: str) -> Path:
        return self._notes / f"{sha256(host.encode()).hexdigest()}.json"


def _select_right(labels: Sequence[KeptLabel]) -> list[KeptLabel]:
    return [label for label in labels if label.verdict == Verdict.RIGHT]
