"""Visits to a site of one generator: each picture is read, the site verifies the answer, the label is kept.

What the CLI does on a timer happens between visits: the learner learns as soon as it is due. Every picture is also read
by the model that served at the beginning, as if nothing had been learned.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from captchad.config.settings import RecognitionSection
from captchad.domain.label import Label, LabelOrigin, Verdict, write_time
from captchad.domain.learned_model import PACKAGED
from captchad.domain.recognition import Hints
from captchad.operations.labels.label_store import open_label_store
from captchad.recognition.captchad_engine import CaptchadEngine, load_captchad_engine
from captchad.recognition.decoding import decode_picture
from captchad.recognition.model_shelf import MODELS_FOLDER_NAME, ModelShelf
from captchad.runtime.clock import Clock
from captchad.training.learner import Ask, Fate, Learner, Outcome
from captchad.training.pictures.acceptance import is_right
from captchad.training.pictures.catalogue import load_families
from captchad.training.pictures.source import PictureSource, WeightedFamily

HOST = "simulated.example"
FIRST_VISIT_MS = 1_700_000_000_000
VISIT_MS = 1000
TIMER_VISITS = 25
"""The timer asks after each so many visits whether the learner is due."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Whether the site took what is read at this point, and what the model of the beginning reads."""

    with_learning: bool
    without_learning: bool


class SimulatedSite:
    """A site that shows one generator's pictures, the same ones for the same seed, and verifies answers."""

    def __init__(self, family: str, seed: int) -> None:
        [found] = load_families([family])
        self._family = family
        self._source = PictureSource([WeightedFamily(found)], seed, augmented_share=0)

    def show(self, number: int) -> tuple[bytes, str]:
        """Return the picture of a visit, and what it says."""
        sample, encoded = self._source.draw(number), io.BytesIO()
        Image.fromarray(sample.picture).save(encoded, "PNG")
        return encoded.getvalue(), sample.text

    def verifies(self, truth: str, text: str) -> bool:
        """Whether the generator itself would take an answer."""
        return is_right(self._family, truth, text)


class Simulation:
    """The visits of one site, with and without learning, in a state folder of its own."""

    def __init__(self, site: SimulatedSite, folder: Path, ask: Ask, report: Callable[[str], None]) -> None:
        self._site = site
        self._ask = ask
        self._report = report
        self._shelf = ModelShelf(folder / MODELS_FOLDER_NAME)
        self._store = open_label_store(folder, RecognitionSection(), Clock())
        self._learner = Learner(folder, self._store, ask, Clock())
        self._first = self._engine = self._load()
        self.outcomes: list[tuple[int, Outcome]] = []

    def run(self, visits: int) -> Iterator[Visit]:
        """Make so many visits."""
        for number in range(visits):
            yield self._visit(number)
            if (number + 1) % TIMER_VISITS == 0 and self._learner.is_due(HOST):
                self._learn(number + 1)

    def _visit(self, number: int) -> Visit:
        picture, truth = self._site.show(number)
        pixels = decode_picture(picture)
        [found] = self._engine.recognise([pixels], [Hints()])
        [without] = [found] if self._engine is self._first else self._first.recognise([pixels], [Hints()])
        is_taken = self._site.verifies(truth, found.drawn_text)
        label = Label(
            label_id=f"visit-{number}",
            host=HOST,
            text=found.drawn_text,
            verdict=Verdict.RIGHT if is_taken else Verdict.WRONG,
            origin=LabelOrigin.VERIFIED,
            task_id=None,
            at=write_time(FIRST_VISIT_MS + number * VISIT_MS),
            who="simulation",
        )
        self._store.add(label, picture)
        return Visit(is_taken, self._site.verifies(truth, without.drawn_text))

    def _learn(self, visits: int) -> None:
        outcome = self._learner.learn(HOST, lambda step: self._report(f"after {visits} visits: {step}"))
        self.outcomes.append((visits, outcome))
        assert outcome.learned is not None
        self._report(f"after {visits} visits: {outcome.fate}, {outcome.learned.comparison}, {outcome.learned.refit}")
        if outcome.fate is Fate.INSTALLED:
            self._engine = self._load()

    def _load(self) -> CaptchadEngine:
        """Load what every worker reads the site with now."""
        choices = self._ask(lambda models: models.read([HOST]))
        if HOST not in choices or choices[HOST].present == PACKAGED:
            return load_captchad_engine()
        return load_captchad_engine(self._shelf.path(choices[HOST].present))
