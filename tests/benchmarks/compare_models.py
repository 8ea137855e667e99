"""Whether new weights replace the packaged ones: `python -m tests.benchmarks.compare_models --new MODEL.onnx`.

Both models read the same fresh pictures as a worker does that knows nothing of them: of every published generator that
is installed, of a generator that no recipe trains on (tests/benchmarks/recognition/held_out.py), and of letters in
colours that their brightness hides. The new model replaces the old one if it reads more in the mean of each of the
three groups, and of none of the dozen best known generators a point less. Gained and lost are pictures that one of
them alone reads; chance is the probability of so much gain if both read equally well, by McNemar's exact test. Exit
code 1: it does not replace it.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from captchad.domain.recognition import Recognition
from captchad.recognition.captchad_engine import load_captchad_engine
from captchad.training.exact_test import measure_chance
from captchad.training.pictures.acceptance import is_right
from captchad.training.reading import read_pictures
from tests.benchmarks.recognition.coloured import draw_coloured
from tests.benchmarks.recognition.held_out import load_held_out
from tests.benchmarks.recognition.labelled import LabelledPicture
from tests.benchmarks.recognition.pictures import BEST_KNOWN, draw_pictures, list_generators, load_generators
from tests.benchmarks.recognition.summary import FamilyScore, rate_sureness, score_families, score_group

KNOWN, HELD_OUT, COLOURED, DARK = "known", "held out", "coloured", "the same in black"
MOST_LOST_SHARE = 0.01
_WIDTH_OFF_TERMINAL = 140


@dataclass(frozen=True, slots=True)
class GroupComparison:
    """What two models read of the same pictures; families weigh the same in the means."""

    name: str
    old: Sequence[FamilyScore]
    new: Sequence[FamilyScore]
    gained: int
    lost: int

    @property
    def means(self) -> tuple[float, float]:
        """The mean shares of the old model and of the new one; nothing where there is no family."""
        old, new = score_group(self.old), score_group(self.new)
        return (0.0, 0.0) if old is None or new is None else (old.mean_share, new.mean_share)

    def list_losses(self) -> list[str]:
        """Name the best known generators of which the new model reads a point less, or still less."""
        return [
            before.family
            for before, after in zip(self.old, self.new, strict=True)
            if before.family in BEST_KNOWN and before.share - after.share >= MOST_LOST_SHARE
        ]


def compare_group(
    name: str, pictures: Sequence[LabelledPicture], old: Sequence[Recognition], new: Sequence[Recognition]
) -> GroupComparison:
    """Compare what both models made of the pictures of one group."""
    texts = [[found.text for found in read] for read in (old, new)]
    marks = [
        [is_right(picture.family, picture.truth, text) for picture, text in zip(pictures, read, strict=True)]
        for read in texts
    ]
    gained = sum(after and not before for before, after in zip(*marks, strict=True))
    lost = sum(before and not after for before, after in zip(*marks, strict=True))
    return GroupComparison(name, score_families(pictures, texts[0]), score_families(pictures, texts[1]), gained, lost)


def is_better(groups: Sequence[GroupComparison]) -> bool:
    """Whether the new model replaces the old one."""
    decisive = [group for group in groups if group.name != DARK and group.old]
    return all(group.means[1] > group.means[0] and not group.list_losses() for group in decisive)


def draw(count: int, coloured: int, seed: int, progress: Progress) -> dict[str, list[LabelledPicture]]:
    """Draw the pictures of all groups; of the best known generators three times as many."""
    known, _ = load_generators(list_generators())
    held_out, _ = load_held_out()
    bar = progress.add_task("drawing", total=count * (len(known) + len(held_out) + 2 * len(BEST_KNOWN)))
    drawn: dict[str, list[LabelledPicture]] = {KNOWN: [], HELD_OUT: []}
    for name, families in ((KNOWN, known), (HELD_OUT, held_out)):
        for family in families:
            wanted = 3 * count if family.name in BEST_KNOWN else count
            drawn[name] += draw_pictures(family, wanted, seed, lambda: progress.advance(bar))
    drawn[COLOURED], drawn[DARK] = draw_coloured(coloured, seed)
    return drawn


def tabulate(groups: Sequence[GroupComparison]) -> Table:
    """Return the table of the groups, and of the dozen best known generators one by one."""
    table = Table("pictures", "old", "new", "gained", "lost", "chance")
    for group in groups:
        old, new = (f"{share:.1%}" for share in group.means)
        chance = f"{measure_chance(group.gained, group.lost):.4f}"
        table.add_row(group.name, old, new, str(group.gained), str(group.lost), chance)
        for before, after in zip(group.old, group.new, strict=True):
            if before.family in BEST_KNOWN:
                table.add_row(f"  {before.family}", f"{before.share:.1%}", f"{after.share:.1%}", "", "", "")
    return table


def describe_confidence(name: str, pictures: Sequence[LabelledPicture], read: Sequence[Recognition]) -> str:
    """Say what a model's confidence is worth on pictures."""
    sureness = rate_sureness(pictures, [found.text for found in read], [found.confidence for found in read], [])
    return (
        f"{name}: expected calibration error {sureness.reliability.expected_error:.3f}; "
        f"{sureness.sure_share:.1%} at 0.9 and above, {sureness.sure_right} of {sureness.sure_pictures} right"
    )


@click.command()
@click.option("--old", type=click.Path(exists=True, path_type=Path), help="Instead of captchad's packaged model.")
@click.option("--new", type=click.Path(exists=True, path_type=Path), required=True, help="The model to be judged.")
@click.option("--pictures", type=click.IntRange(min=1), default=50, show_default=True, help="Pictures a family.")
@click.option("--coloured", type=click.IntRange(min=2), default=500, show_default=True, help="Pictures in colours.")
@click.option("--seed", default=7, show_default=True, help="Other pictures for another number.")
def main(old: Path | None, new: Path, pictures: int, coloured: int, seed: int) -> None:
    """Let both models read the same pictures, and say whether the new one is to replace the old."""
    console = Console(width=None if sys.stdout.isatty() else _WIDTH_OFF_TERMINAL)
    with Progress(console=console) as progress:
        drawn = draw(pictures, coloured, seed, progress)
    engines = [load_captchad_engine(path) for path in (old, new)]
    read = {
        name: [read_pictures(engine, [picture.pixels for picture in shown]) for engine in engines]
        for name, shown in drawn.items()
    }
    groups = [compare_group(name, drawn[name], *found) for name, found in read.items()]
    console.print(tabulate(groups))
    for number, name in enumerate(("old", "new")):
        console.print(describe_confidence(name, drawn[KNOWN], read[KNOWN][number]))
    if not is_better(groups):
        raise click.ClickException("the new model does not replace the old one")


if __name__ == "__main__":
    main()
