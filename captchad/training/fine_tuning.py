"""Fine-tunes a trained network on the pictures of one site, as long as held-back pictures are read better."""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from captchad.recognition.ctc import BLANK
from captchad.recognition.decoding import Pixels
from captchad.runtime.clock import Clock
from captchad.training.alphabet import encode
from captchad.training.augmentation import augment
from captchad.training.batch import Batch, make_batch
from captchad.training.network import CaptchaNetwork, count_steps
from captchad.training.processor import has_fast_bfloat16
from captchad.training.recipe import Schedule
from captchad.training.sample import Sample
from captchad.training.schedule import learning_rate_at
from captchad.training.validation import FamilyFigures, compare, read_greedily

LEAST_PICTURES = 20
_HELD_BACK_SHARE, _HELD_BACK_LEAST, _HELD_BACK_MOST = 0.15, 8, 300
BATCH_PICTURES = 16
_WARM_UP_SHARE = 0.05
_PEAK_LEARNING_RATE, _LEAST_LEARNING_RATE = 5e-4, 1e-5
_WEIGHT_DECAY, _GRADIENT_NORM_LIMIT = 0.01, 5.0
_SECONDS_PER_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class TuningOptions:
    """The most passes, the passes without gain after which it ends, and the most minutes.

    Threads wait for each other at every layer: where a core is busy with anything else, two take many times as long as
    one.
    """

    passes: int = 40
    patience_passes: int = 10
    minutes: float | None = None
    seed: int = 1
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Division:
    """The pictures to train on, and those held back to measure the gain."""

    learned: tuple[Sample, ...]
    held_back: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Tuned:
    """The best network found, with the figures of the held-back pictures before and after; `passes` were made."""

    network: CaptchaNetwork
    before: FamilyFigures
    after: FamilyFigures
    passes: int

    @property
    def is_better(self) -> bool:
        """Whether the held-back pictures are read better than before."""
        return _rank(self.after) > _rank(self.before)


def make_samples(pictures: Sequence[tuple[Pixels, str]], family: str) -> list[Sample]:
    """Make samples of labelled pictures; ValueError where there are too few, or a text has an unknown character."""
    if len(pictures) < LEAST_PICTURES:
        raise ValueError(f"{len(pictures)} labelled pictures are too few to learn from: {LEAST_PICTURES} are the least")
    for _, text in pictures:
        encode(text)
    return [Sample(pixels, text, family) for pixels, text in pictures]


def divide(samples: Sequence[Sample], seed: int) -> Division:
    """Hold back some of the pictures, the same ones for the same seed."""
    count = min(max(round(len(samples) * _HELD_BACK_SHARE), _HELD_BACK_LEAST), _HELD_BACK_MOST)
    order = np.random.default_rng(seed).permutation(len(samples))
    return Division(
        learned=tuple(samples[number] for number in order[count:]),
        held_back=tuple(samples[number] for number in order[:count]),
    )


def fine_tune(
    network: CaptchaNetwork,
    division: Division,
    options: TuningOptions,
    clock: Clock,
    report: Callable[[int, FamilyFigures], None],
) -> Tuned:
    """Train until the passes, the patience or the minutes end, or Ctrl-C; `report` is called after each pass.

    The best weights seen are kept, those at the start included.
    """
    before = best = _measure(network, division.held_back)
    # What is to be returned if no pass is better: the network as it came.
    best_network, best_pass, done = copy.deepcopy(network), 0, 0
    passes = _Passes(network, division.learned, options, clock)
    present, is_late = passes.network, passes.is_late
    try:
        for number in range(1, options.passes + 1):
            passes.make(number)
            figures, done = _measure(present, division.held_back), number
            report(number, figures)
            if _rank(figures) > _rank(best):
                best, best_network, best_pass = figures, copy.deepcopy(present), number
            if is_late() or number - best_pass >= options.patience_passes:
                break
    except KeyboardInterrupt:
        pass
    return Tuned(best_network.eval(), before, best, done)


def train_through(
    network: CaptchaNetwork, samples: Sequence[Sample], options: TuningOptions, clock: Clock
) -> CaptchaNetwork:
    """Train for all passes, or until the minutes end, and keep the last weights; nothing is held back to choose by."""
    passes, number = _Passes(network, samples, options, clock), 0
    while number < options.passes and not passes.is_late():
        number += 1
        passes.make(number)
    return passes.network.eval()


class _Passes:
    """Passes over the same samples by a copy of a network, under one schedule."""

    def __init__(
        self, network: CaptchaNetwork, samples: Sequence[Sample], options: TuningOptions, clock: Clock
    ) -> None:
        torch.manual_seed(options.seed)
        torch.set_num_threads(options.threads)
        self.network: CaptchaNetwork = copy.deepcopy(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.is_late = _make_deadline(options.minutes, clock)
        self._samples = samples
        self._seed = options.seed
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=_PEAK_LEARNING_RATE, weight_decay=_WEIGHT_DECAY
        )
        self._schedule = _make_schedule(options, len(samples))

    def make(self, number: int) -> None:
        """Make one pass, the first having number 1."""
        seed = (self._seed, number)
        _pass_over(self.network, self._optimiser, self._schedule, self._samples, seed, self.is_late)


def _make_deadline(minutes: float | None, clock: Clock) -> Callable[[], bool]:
    started_seconds = clock.monotonic_seconds()
    return lambda: minutes is not None and clock.monotonic_seconds() - started_seconds >= minutes * _SECONDS_PER_MINUTE


def _make_schedule(options: TuningOptions, pictures: int) -> Schedule:
    steps = options.passes * math.ceil(pictures / BATCH_PICTURES)
    return Schedule(
        steps=steps,
        warm_up_steps=max(1, round(steps * _WARM_UP_SHARE)),
        fall_steps=round(steps * (1 - _WARM_UP_SHARE)),
        peak_learning_rate=_PEAK_LEARNING_RATE,
        least_learning_rate=_LEAST_LEARNING_RATE,
    )


def _pass_over(
    network: CaptchaNetwork,
    optimiser: torch.optim.Optimizer,
    schedule: Schedule,
    samples: Sequence[Sample],
    seed: tuple[int, int],
    is_late: Callable[[], bool],
) -> None:
    network.train()
    batches = _make_batches(samples, network.planes, np.random.default_rng(seed))
    first = (seed[1] - 1) * len(batches)
    for number, batch in enumerate(batches, start=first):
        if is_late():
            break
        for group in optimiser.param_groups:
            group["lr"] = learning_rate_at(number, schedule)
        optimiser.zero_grad()
        _measure_loss(network, batch).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), _GRADIENT_NORM_LIMIT)
        optimiser.step()


def _make_batches(samples: Sequence[Sample], planes: int, generator: np.random.Generator) -> list[Batch]:
    seen = [(augment(sample.picture, generator, planes=planes), encode(sample.text)) for sample in samples]
    # Alike widths together, so that little of a batch is padding; the batches come in random order.
    seen.sort(key=lambda pair: pair[0].shape[2])
    groups = [seen[start : start + BATCH_PICTURES] for start in range(0, len(seen), BATCH_PICTURES)]
    return [make_batch(number, groups[place]) for number, place in enumerate(generator.permutation(len(groups)))]


def _measure_loss(network: CaptchaNetwork, batch: Batch) -> torch.Tensor:
    with torch.autocast("cpu", torch.bfloat16, enabled=has_fast_bfloat16()):
        outputs = network(torch.from_numpy(batch.pictures).float().to(memory_format=torch.channels_last))
    return nn.functional.ctc_loss(
        outputs.float(),
        torch.tensor([number for labels in batch.labels for number in labels]),
        torch.tensor([count_steps(width) for width in batch.widths]),
        torch.tensor([len(labels) for labels in batch.labels]),
        blank=BLANK,
        # A text too long for its picture's steps has an infinite loss, which would spoil the weights.
        zero_infinity=True,
    )


def _measure(network: CaptchaNetwork, samples: Sequence[Sample]) -> FamilyFigures:
    network.eval()
    readings = read_greedily(network, samples, torch.device("cpu"))
    return compare(samples[0].family, [sample.text for sample in samples], readings)


def _rank(figures: FamilyFigures) -> tuple[float, float]:
    return figures.exact, -figures.character_errors
