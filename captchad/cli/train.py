"""`captchad train`: fine-tune a model on the labelled pictures of one site."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from captchad.cli.labels import read_labels
from captchad.cli.options import json_option
from captchad.cli.printing import print_json, print_table, say
from captchad.domain.errors import PictureRefused
from captchad.domain.exit_codes import EXIT_FAILED
from captchad.runtime.clock import Clock

if TYPE_CHECKING:
    from captchad.recognition.decoding import Pixels
    from captchad.training.fine_tuning import Division, Tuned, TuningOptions
    from captchad.training.validation import FamilyFigures
    from captchad.training.weights import StartingPoint

CURRENT = "current"


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--from", "start", metavar="MODEL", default=CURRENT, show_default=True, help="The model to begin with.")
@click.option(
    "--out",
    metavar="FILE",
    required=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Where to write the new model.",
)
@click.option("--passes", type=click.IntRange(min=1), default=40, show_default=True, help="Maximum number of passes.")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Stop after this many minutes.")
@click.option("--seed", type=int, default=1, show_default=True, help="Decides which pictures are held back.")
@click.option(
    "--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Use more than one only on idle cores."
)
@json_option
def train(
    folder: Path, start: str, out: Path, passes: int, minutes: float | None, seed: int, threads: int, is_json: bool
) -> None:
    """Fine-tune a model on the labelled pictures in DIR.

    DIR holds a file labels.tsv with a line for each picture: its file, a tab, its text as it is drawn (of arithmetic
    the expression, not its result). Some pictures are held back; the model is written only if those are read better
    than before. Ctrl-C ends the training early and keeps the best so far.
    """
    if not out.absolute().parent.is_dir():
        raise click.UsageError(f"--out: there is no folder {out.absolute().parent}")
    # torch takes seconds to load: `--help` must not wait for it.
    from captchad.recognition.model import find_packaged_weights  # noqa: PLC0415
    from captchad.training.fine_tuning import TuningOptions, divide, make_samples  # noqa: PLC0415
    from captchad.training.weights import load_starting_point  # noqa: PLC0415

    try:
        begun = load_starting_point(find_packaged_weights() if start == CURRENT else Path(start))
        division = divide(make_samples(_read_pictures(folder), folder.resolve().name), seed)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    options = TuningOptions(passes=passes, minutes=minutes, seed=seed, threads=threads)
    tuned = _train(begun, division, options)
    if tuned.is_better:
        _write(out, begun, division, tuned)
    _report(tuned, division, out, is_json)
    if not tuned.is_better:
        sys.exit(EXIT_FAILED)


def _read_pictures(folder: Path) -> "list[tuple[Pixels, str]]":
    from captchad.recognition.decoding import decode_picture  # noqa: PLC0415
    from captchad.recognition.evaluation.measuring import read_limited  # noqa: PLC0415
    from captchad.training.alphabet import encode  # noqa: PLC0415

    pictures = []
    for labelled in read_labels(folder):
        try:
            encode(labelled.text)
            pictures.append((decode_picture(read_limited(labelled.path)), labelled.text))
        except (OSError, PictureRefused, ValueError) as error:
            raise ValueError(f"{labelled.file}: {error}") from None
    return pictures


def _train(begun: "StartingPoint", division: "Division", options: "TuningOptions") -> "Tuned":
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    from captchad.training.fine_tuning import fine_tune  # noqa: PLC0415

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        shown = progress.add_task("Training", total=options.passes)

        def report(number: int, figures: "FamilyFigures") -> None:
            progress.update(shown, completed=number, description=f"Training: {figures.exact:.1%} held back read right")

        return fine_tune(begun.network, division, options, Clock(), report)


def _write(out: Path, begun: "StartingPoint", division: "Division", tuned: "Tuned") -> None:
    from captchad.recognition.captchad_engine import CALIBRATION_KEY, load_captchad_engine  # noqa: PLC0415
    from captchad.recognition.model import load_model  # noqa: PLC0415
    from captchad.training.export import TrainedNetwork, export, write_description  # noqa: PLC0415
    from captchad.training.recalibration import recalibrate  # noqa: PLC0415
    from captchad.training.recipe import Recipe  # noqa: PLC0415

    recipe = Recipe.from_json(begun.description["recipe"])
    partial = out.with_name(f".{out.name}.partial")
    export(TrainedNetwork(tuned.network, recipe, begun.description["steps"], begun.description["validation"]), partial)
    description = dict(load_model(partial).description)
    description |= {"name": tuned.after.family, CALIBRATION_KEY: begun.description.get(CALIBRATION_KEY)}
    description["fine_tuning"] = {
        "from": begun.description["weights_digest"],
        "pictures": len(division.learned),
        "passes": tuned.passes,
        "before": tuned.before.to_json(),
        "after": tuned.after.to_json(),
    }
    write_description(partial, description)
    values, _ = recalibrate(load_captchad_engine(partial), description[CALIBRATION_KEY], division.held_back)
    write_description(partial, description | {CALIBRATION_KEY: values})
    # A worker that reads with this file must never meet half of it.
    partial.replace(out)


def _report(tuned: "Tuned", division: "Division", out: Path, is_json: bool) -> None:
    if is_json:
        figures = {"before": asdict(tuned.before), "after": asdict(tuned.after), "passes": tuned.passes}
        counts = {"learned": len(division.learned), "held_back": len(division.held_back)}
        print_json({"model": str(out) if tuned.is_better else None, **counts, **figures})
        return
    print_table(
        ("held back", "before", "after"),
        [
            ("texts right", _word_share(tuned.before), _word_share(tuned.after)),
            ("but for case", f"{tuned.before.exact_but_case:.1%}", f"{tuned.after.exact_but_case:.1%}"),
            ("characters wrong", f"{tuned.before.character_errors:.1%}", f"{tuned.after.character_errors:.1%}"),
        ],
        "",
    )
    learned = (
        f"learned from {len(division.learned)} pictures in {tuned.passes} passes, {len(division.held_back)} held back"
    )
    say(f"{learned}: " + (f"written to {out}" if tuned.is_better else "no better than before, nothing was written"))


def _word_share(figures: "FamilyFigures") -> str:
    from captchad.recognition.evaluation.proportion import estimate_proportion  # noqa: PLC0415

    found = estimate_proportion(round(figures.exact * figures.pictures), figures.pictures)
    return f"{found.share:.1%} ({found.low:.1%} to {found.high:.1%})"
