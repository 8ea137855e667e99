"""`captchad evaluate`: how well a folder of labelled pictures is read."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from captchad.cli.labels import read_labels
from captchad.cli.options import json_option
from captchad.cli.printing import print_json, print_table, say
from captchad.cli.reading_options import load_recogniser, make_hints, reading_options
from captchad.runtime.clock import Clock

if TYPE_CHECKING:
    from captchad.domain.recognition import Hints
    from captchad.recognition.evaluation.evaluated_picture import EvaluatedPicture
    from captchad.recognition.evaluation.evaluation import Evaluation
    from captchad.recognition.labelled import LabelledPicture
    from captchad.recognition.recognition_engine import RecognitionEngine

WORST_SHOWN = 48
CONFUSIONS_SHOWN = 12


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@reading_options
@click.option("--ignore-case", is_flag=True, help="Count a text as right if only the case of letters differs.")
@click.option(
    "--report",
    "report_path",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Also write an HTML page with the worst pictures.",
)
@json_option
def evaluate(
    folder: Path,
    engine: str | None,
    model: Path | None,
    charset: str | None,
    min_length: int | None,
    max_length: int | None,
    kind: str | None,
    ignore_case: bool,
    report_path: Path | None,
    is_json: bool,
) -> None:
    """Measure how well the labelled pictures in DIR are read.

    DIR holds a file labels.tsv with a line for each picture: its file, a tab, its text.
    """
    hints = make_hints(charset, min_length, max_length, kind, case_sensitive=False if ignore_case else None)
    if report_path is not None and not report_path.absolute().parent.is_dir():
        raise click.UsageError(f"--report: there is no folder {report_path.absolute().parent}")
    # The model's runtime and the decoders take a while to load: `--help` must not wait for them.
    from captchad.recognition.evaluation.evaluated_picture import Rule  # noqa: PLC0415
    from captchad.recognition.evaluation.evaluation import evaluate_outcomes  # noqa: PLC0415

    recogniser = load_recogniser(engine, model, charset)
    pictures = read_labels(folder)
    outcomes = _measure(recogniser, pictures, hints)
    rule = Rule(is_case_ignored=ignore_case)
    evaluation = evaluate_outcomes(recogniser.name, outcomes, rule)
    for outcome in outcomes:
        if outcome.problem is not None:
            say(f"captchad: {outcome.file}: {outcome.problem}", is_error=True)
    if is_json:
        print_json({**asdict(evaluation), "outcomes": [asdict(outcome) for outcome in outcomes]})
    else:
        _print_evaluation(evaluation)
    if report_path is not None:
        _write_report(report_path, evaluation, outcomes, pictures)


def _measure(
    recogniser: "RecognitionEngine", pictures: "Sequence[LabelledPicture]", hints: "Hints"
) -> "list[EvaluatedPicture]":
    from captchad.recognition.evaluation.measuring import measure_outcomes  # noqa: PLC0415

    outcomes = measure_outcomes(recogniser, pictures, hints, Clock())
    return list(_show_progress(outcomes, len(pictures)))


def _show_progress(outcomes: "Iterator[EvaluatedPicture]", count: int) -> "Iterator[EvaluatedPicture]":
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield from progress.track(outcomes, total=count, description="Reading")


def _print_evaluation(evaluation: "Evaluation") -> None:
    from captchad.recognition.evaluation import wording  # noqa: PLC0415

    print_table(wording.FIGURE_HEADINGS, wording.word_figures(evaluation), "")
    say("")
    print_table(wording.COVERAGE_HEADINGS, wording.word_coverage(evaluation), "")
    say("")
    print_table(wording.CONFUSION_HEADINGS, wording.word_confusions(evaluation, CONFUSIONS_SHOWN), "No confusions.")


def _write_report(
    path: Path, evaluation: "Evaluation", outcomes: "Sequence[EvaluatedPicture]", pictures: "Sequence[LabelledPicture]"
) -> None:
    from captchad.recognition.evaluation.evaluated_picture import Rule  # noqa: PLC0415
    from captchad.recognition.evaluation.evaluation import choose_worst  # noqa: PLC0415
    from captchad.recognition.evaluation.page import make_page  # noqa: PLC0415

    worst = choose_worst(outcomes, Rule(evaluation.is_case_ignored), WORST_SHOWN)
    paths = {picture.file: picture.path for picture in pictures}
    page = make_page(evaluation, worst, _read_pictures({outcome.file: paths[outcome.file] for outcome in worst}))
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{path} can't be written: {(error.strerror or str(error)).lower()}") from None


def _read_pictures(paths: dict[str, Path]) -> dict[str, bytes]:
    from captchad.recognition.evaluation.measuring import read_limited  # noqa: PLC0415

    pictures = {}
    for file, path in paths.items():
        try:
            pictures[file] = read_limited(path)
        except OSError:
            # Gone since it was read: the report says that it can't be shown.
            continue
    return pictures
