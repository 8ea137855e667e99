"""Trains the wide model from the published weights: `python -m captchad.training.pretraining.wide_training`.

What looks at the picture stays as it was published: its output is computed once for each picture and kept. Neck and
head learn, but for the head's published rows, so that a Chinese character that is hardly ever drawn is read as before.
"""

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from captchad.recognition.ctc import BLANK
from captchad.recognition.preparation import COLOUR_PLANES, Prepared, stack
from captchad.recognition.wide_alphabet import list_columns, to_columns
from captchad.training.augmentation import augment
from captchad.training.network import CaptchaNetwork, count_steps
from captchad.training.pictures.source import PictureSource, WeightedFamily
from captchad.training.pictures.wide import Division, WideFamily
from captchad.training.pictures.wide_texts import TEXTS
from captchad.training.pretraining.averaging import WeightAverage
from captchad.training.pretraining.published_weights import find_known, find_published, load_published
from captchad.training.recipe import Schedule
from captchad.training.schedule import learning_rate_at

SEED = 606_060
PICTURES, PASSES = 6000, 12
_BATCH_PICTURES, _PART_PICTURES = 16, 128
_ALTERED_SHARE = 0.4
_HEAD_SHARE, _NECK_SHARE = 1.0, 0.25
_PEAK_LEARNING_RATE, _LEAST_LEARNING_RATE = 3e-3, 3e-5
_AVERAGE_DECAY, _GRADIENT_NORM_LIMIT = 0.99, 5.0


@dataclass(frozen=True, slots=True)
class EncodedBatch:
    """The encoder's output for some pictures, their steps, and their texts as columns' numbers."""

    columns: torch.Tensor
    steps: tuple[int, ...]
    labels: tuple[tuple[int, ...], ...]


def encode_part(network: CaptchaNetwork, first: int) -> list[EncodedBatch]:
    """Draw one part of the pictures, from the first number on, and encode them."""
    numbers = {symbol: number for number, symbol in enumerate(list_columns(), start=1)}
    families = [WeightedFamily(WideFamily(name, Division.LEARN), weight) for name, (_, weight) in TEXTS.items()]
    source, generator = PictureSource(families, SEED, _ALTERED_SHARE), np.random.default_rng((SEED, first))
    samples = [source.draw(number) for number in range(first, first + _PART_PICTURES)]
    seen = [
        (augment(sample.picture, generator, planes=COLOUR_PLANES), encode_wide(sample.text, numbers))
        for sample in samples
    ]
    # Alike widths together, so that little of a batch is padding.
    seen.sort(key=lambda pair: pair[0].shape[2])
    return [_encode(network, seen[start : start + _BATCH_PICTURES]) for start in range(0, len(seen), _BATCH_PICTURES)]


def encode_wide(text: str, numbers: dict[str, int]) -> tuple[int, ...]:
    """Return the columns' numbers of a text."""
    return tuple(numbers[symbol] for symbol in to_columns(text))


@torch.no_grad()
def _encode(network: CaptchaNetwork, seen: Sequence[tuple[Prepared, tuple[int, ...]]]) -> EncodedBatch:
    pictures = torch.from_numpy(stack([picture for picture, _ in seen])).float()
    steps = tuple(count_steps(picture.shape[2]) for picture, _ in seen)
    return EncodedBatch(network.encode(pictures).half(), steps, tuple(labels for _, labels in seen))


def learn(network: CaptchaNetwork, batches: Sequence[EncodedBatch], known: torch.Tensor, passes: int) -> CaptchaNetwork:
    """Train neck and head; return the averaged network. `known` marks the head's rows that stay."""
    torch.manual_seed(SEED)
    average = WeightAverage(network, _AVERAGE_DECAY)
    groups = [
        {"params": list(network.head.parameters()), "share": _HEAD_SHARE},
        {"params": list(network.neck.parameters()), "share": _NECK_SHARE},
    ]
    optimiser = torch.optim.AdamW(groups, lr=_PEAK_LEARNING_RATE, weight_decay=0.0)
    steps = passes * len(batches)
    schedule = Schedule(steps, max(1, steps // 20), steps * 3 // 4, _PEAK_LEARNING_RATE, _LEAST_LEARNING_RATE)
    shuffled = random.Random(SEED)  # noqa: S311 - not for secrets
    network.train()
    for number in range(passes):
        losses = []
        for place, batch in enumerate(shuffled.sample(batches, len(batches))):
            step = number * len(batches) + place
            for group in optimiser.param_groups:
                group["lr"] = group["share"] * learning_rate_at(step, schedule)
            losses.append(_step(network, optimiser, batch, known))
            average.follow(network, step)
        print(f"pass {number + 1} of {passes}: loss {np.mean(losses):.3f}", flush=True)  # noqa: T201
    return average.network


def _step(network: CaptchaNetwork, optimiser: torch.optim.Optimizer, batch: EncodedBatch, known: torch.Tensor) -> float:
    kept = [parameter.detach()[known].clone() for parameter in network.head.parameters()]
    loss = nn.functional.ctc_loss(
        network.read(batch.columns.float()),
        torch.tensor([number for labels in batch.labels for number in labels]),
        torch.tensor(batch.steps),
        torch.tensor([len(labels) for labels in batch.labels]),
        blank=BLANK,
        zero_infinity=True,
    )
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_([*network.head.parameters(), *network.neck.parameters()], _GRADIENT_NORM_LIMIT)
    optimiser.step()
    with torch.no_grad():
        for parameter, rows in zip(network.head.parameters(), kept, strict=True):
            parameter[known] = rows
    return float(loss.detach())


def main() -> None:
    """Train with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoded", type=Path, required=True, help="where the encoded pictures are kept")
    parser.add_argument("--weights", type=Path, required=True, help="where the weights are written")
    parser.add_argument("--from", dest="first", type=Path, help="weights of an earlier training to go on from")
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--passes", type=int, default=PASSES)
    given = parser.parse_args()
    torch.set_num_threads(1)
    published = find_published()
    network = load_published(published, COLOUR_PLANES, list_columns()).eval()
    batches: list[EncodedBatch] = []
    for first in range(0, given.pictures, _PART_PICTURES):
        part = given.encoded.with_name(f"{given.encoded.name}-{first}.pt")
        if not part.is_file():
            part.parent.mkdir(parents=True, exist_ok=True)
            torch.save(encode_part(network, first), part)
        batches += torch.load(part, weights_only=False)
    if given.first is not None:
        network.load_state_dict(torch.load(given.first, weights_only=True))
    # The blank's row stays too.
    known = torch.tensor([True, *find_known(published, list_columns())])
    torch.save(learn(network, batches, known, given.passes).state_dict(), given.weights)


if __name__ == "__main__":
    main()
