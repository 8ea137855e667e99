"""Measures how well a network reads pictures of known text."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch

from captchad.recognition.preparation import prepare, stack
from captchad.training.alphabet import collapse, decode, spell_plainly
from captchad.training.network import CaptchaNetwork, count_steps
from captchad.training.sample import Sample

_BATCH_PICTURES = 32


@dataclass(frozen=True, slots=True)
class FamilyFigures:
    """Shares (0..1) of one family's pictures read exactly, and but for case; and wrong characters for each true one."""

    family: str
    pictures: int
    exact: float
    exact_but_case: float
    character_errors: float

    def to_json(self) -> dict[str, object]:
        """Return the figures as JSON holds them."""
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}


@torch.no_grad()
def read_greedily(network: CaptchaNetwork, drawn: Sequence[Sample], device: torch.device) -> list[str]:
    """Read pictures by the likeliest symbol of each step."""
    texts: dict[int, str] = {}
    prepared = [prepare(sample.picture, planes=network.planes) for sample in drawn]
    # Similar widths together: padding costs time.
    order = sorted(range(len(prepared)), key=lambda number: prepared[number].shape[2])
    for start in range(0, len(order), _BATCH_PICTURES):
        numbers = order[start : start + _BATCH_PICTURES]
        batch = torch.from_numpy(stack([prepared[number] for number in numbers])).to(device)
        paths = network(batch).argmax(dim=2).T.cpu().tolist()
        for number, path in zip(numbers, paths, strict=True):
            texts[number] = decode(collapse(path[: count_steps(prepared[number].shape[2])]))
    return [texts[number] for number in range(len(prepared))]


def compare(family: str, truths: Sequence[str], readings: Sequence[str]) -> FamilyFigures:
    """Compare readings with the true texts."""
    pairs = [(spell_plainly(truth), reading) for truth, reading in zip(truths, readings, strict=True)]
    wrong = sum(count_edits(truth, reading) for truth, reading in pairs)
    return FamilyFigures(
        family=family,
        pictures=len(pairs),
        exact=float(np.mean([truth == reading for truth, reading in pairs])),
        exact_but_case=float(np.mean([truth.lower() == reading.lower() for truth, reading in pairs])),
        character_errors=wrong / max(1, sum(len(truth) for truth, _ in pairs)),
    )


def count_edits(truth: str, reading: str) -> int:
    """Count the characters to insert, delete or replace to make one text of the other."""
    row = list(range(len(reading) + 1))
    for number, wanted in enumerate(truth, start=1):
        above, row[0] = row[0], number
        for place, found in enumerate(reading, start=1):
            above, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, above + (wanted != found))
    return row[-1]
