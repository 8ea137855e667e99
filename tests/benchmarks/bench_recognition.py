"""captchad beside ddddocr, PP-OCRv6, SVTRv2 and others, on the same fresh pictures of every generator there is.

Run as `python -m tests.benchmarks.bench_recognition`; `--help` names the options. Needed besides the extras ddddocr and
train: the generators (those of the extra generators, and those that captchad/training/pictures/published_programs.py
names), and for the other engines `pip install --no-deps rapidocr` and `apt-get install tesseract-ocr`. Two are in no
extra and no environment of captchad's: `pip install --no-deps --target FOLDER azcrawlerpy-recaptcha-text
captcha-whisperer`, and FOLDER in PYTHONPATH. What is missing is named as left out.

- Pictures are drawn from seeds of their own (`bench:SEED:FAMILY:NUMBER`), which no training draws from. All engines are
  given the same grey pixels, decoded before, and so none of their costs holds the decoding.
- Right is what the generator itself would take (captchad/training/pictures/acceptance.py); arithmetic is asked for its
  result.
- Known are the generators that the measured model's own recipe trains on; all others are held out. Means weigh each
  generator the same.
- Hinted: the classes of characters (digits, lower and upper case) that the generator drew from in this run, the length,
  and whether case counts; of arithmetic only that it is that. The masked ddddocr has no use for the length.
- Each engine reads in a process of its own, bound to one core, with OMP_NUM_THREADS=1. CPU time holds children that an
  engine starts. The memory is the most that the process itself ever held while it read without hints; that of children
  is an upper bound, for the kernel lets a child begin with what its parent held.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from captchad.recognition.evaluation.diagram import draw_reliability_diagram
from captchad.recognition.model import load_model
from captchad.training.pictures.catalogue import load_families
from captchad.training.pictures.defaults import DEFAULTS_VARIABLE
from tests.benchmarks.recognition.contenders import CONTENDERS
from tests.benchmarks.recognition.labelled import LabelledPicture, keep_pictures
from tests.benchmarks.recognition.pictures import (
    BEST_KNOWN,
    EMPTY_FAMILY,
    draw_pictures,
    list_generators,
    load_generators,
)
from tests.benchmarks.recognition.plot import PlotRow, draw_comparison
from tests.benchmarks.recognition.report import EngineReport, pick, print_tables, to_json
from tests.benchmarks.recognition.summary import rate_sureness, score_families

CHILD = "tests.benchmarks.recognition.child"
FAMILIES = list_generators()
EMPTY_PICTURES = 200
READ_BYTES = 4096
WIDTH_OFF_TERMINAL = 160


@dataclass(frozen=True, slots=True)
class Drawn:
    """The pictures of a run, those without text apart, and the families that could not be drawn."""

    pictures: list[LabelledPicture]
    empty: list[LabelledPicture]
    missing: list[str]


@dataclass(frozen=True, slots=True)
class Result:
    """The engines' reports, and what was left out of families and engines, these with the reason."""

    reports: list[EngineReport]
    held_out: frozenset[str]
    missing: list[str]
    left_out: dict[str, str]


def draw(names: Sequence[str], count: int, seed: int, progress: Progress) -> Drawn:
    """Draw every family's pictures, and those without text."""
    families, missing = load_generators(names)
    bar = progress.add_task("drawing", total=count * len(families) + EMPTY_PICTURES)

    def tick() -> None:
        progress.advance(bar)

    pictures = [picture for family in families for picture in draw_pictures(family, count, seed, tick)]
    (empty,) = load_families([EMPTY_FAMILY])
    return Drawn(pictures, draw_pictures(empty, EMPTY_PICTURES, seed, tick), missing)


def find_known(model: Path | None) -> frozenset[str]:
    """Name the families that the model was trained on, as it says itself."""
    recipe: dict[str, Any] = load_model(model).description.get("recipe", {})
    return frozenset(recipe.get("families", ()))


def run_engine(
    name: str, pictures: Sequence[LabelledPicture], folder: Path, model: Path | None, progress: Progress
) -> dict[str, Any]:
    """Let an engine read the pictures in a process of its own; `left_out` says why it could not be loaded."""
    kept, result = folder / "pictures", folder / "result.json"
    keep_pictures(pictures, kept)
    result.unlink(missing_ok=True)
    bar = progress.add_task(name, total=len(pictures) * (2 if CONTENDERS[name].takes_hints else 1))
    command = [sys.executable, "-m", CHILD, name, str(kept), str(result), *([] if model is None else [str(model)])]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_THREAD_LIMIT": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout is not None
        while done := os.read(child.stdout.fileno(), READ_BYTES):
            progress.advance(bar, done.count(b"."))
    if child.returncode:
        return {"left_out": f"its process ended with {child.returncode}"}
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return found


def report_engine(name: str, drawn: Drawn, found: dict[str, Any]) -> EngineReport:
    """Make a report of what the process found; the last pictures are those without text, where it rates itself."""
    count = len(drawn.pictures)
    texts, confidences = zip(*found["plain"], strict=True)
    hinted = found["hinted"]
    rated = CONTENDERS[name].is_rated
    return EngineReport(
        name,
        score_families(drawn.pictures, texts[:count]),
        None if hinted is None else score_families(drawn.pictures, [text for text, _ in hinted[:count]]),
        found | {"cpu_ms_per_picture": sum(found["cpu_ms"][:count]) / count},
        rate_sureness(drawn.pictures, texts[:count], confidences[:count], confidences[count:]) if rated else None,
    )


def write_json(path: Path, result: Result, head: dict[str, Any]) -> None:
    """Write all figures, and what was left out."""
    figures = head | {
        "held_out": sorted(result.held_out),
        "families_left_out": result.missing,
        "engines_left_out": result.left_out,
        "engines": {report.name: to_json(report, result.held_out) for report in result.reports},
    }
    path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def write_plot(path: Path, result: Result) -> None:
    """Write the diagram of what was read without hints."""
    rows = []
    for report in result.reports:
        known, held_out = (pick(report.plain, result.held_out, is_held_out=is_it) for is_it in (False, True))
        rows.append(PlotRow(report.name, known, held_out))
    path.write_text(draw_comparison(rows, "Pictures read right, without hints, by generator"), encoding="utf-8")


def write_reliability(path: Path, result: Result) -> None:
    """Write the diagram of the first engine that rates itself, of what it read without hints."""
    rated = [report.sureness for report in result.reports if report.sureness is not None]
    if not rated:
        raise click.ClickException("none of these engines rates itself: there is no reliability to draw")
    path.write_text(draw_reliability_diagram(rated[0].reliability), encoding="utf-8")


def print_result(console: Console, result: Result) -> None:
    """Print what was left out, then the figures."""
    for name, reason in result.left_out.items():
        console.print(f"engine left out: {name}: {reason}")
    if result.missing:
        console.print(f"families left out, for they are not installed: {', '.join(result.missing)}")
    if result.reports:
        print_tables(console, result.reports, result.held_out)


def compare(drawn: Drawn, names: Sequence[str], model: Path | None, progress: Progress) -> Result:
    """Let one engine after the other read the pictures."""
    reports: list[EngineReport] = []
    left_out: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            shown = drawn.pictures + (drawn.empty if CONTENDERS[name].is_rated else [])
            found = run_engine(name, shown, Path(folder), model, progress)
            if "left_out" in found:
                left_out[name] = found["left_out"]
            else:
                reports.append(report_engine(name, drawn, found))
    held_out = frozenset(picture.family for picture in drawn.pictures) - find_known(model)
    return Result(reports, held_out, drawn.missing, left_out)


@click.command()
@click.option("--pictures", type=click.IntRange(min=1), default=100, show_default=True, help="Pictures a family.")
@click.option(
    "--family", "families", multiple=True, type=click.Choice(list_generators()), metavar="NAME", help="Only it."
)
@click.option("--best-known", is_flag=True, help="Only the dozen generators that sites most likely have.")
@click.option("--defaults", is_flag=True, help="Draw only as the generators do by default; else every second time.")
@click.option("--engine", "engines", multiple=True, type=click.Choice(list(CONTENDERS)), help="Only it.")
@click.option("--seed", default=7, show_default=True, help="Other pictures for another number.")
@click.option("--model", type=click.Path(exists=True, path_type=Path), help="Instead of captchad's packaged model.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures there.")
@click.option("--plot", type=click.Path(path_type=Path), help="Write the diagram (SVG) there.")
@click.option("--reliability", type=click.Path(path_type=Path), help="Write captchad's reliability (SVG) there.")
def main(
    pictures: int,
    families: tuple[str, ...],
    *,
    best_known: bool,
    defaults: bool,
    engines: tuple[str, ...],
    seed: int,
    model: Path | None,
    json_file: Path | None,
    plot: Path | None,
    reliability: Path | None,
) -> None:
    """Compare the engines and print the figures."""
    if defaults:
        os.environ[DEFAULTS_VARIABLE] = "1"
    console = Console(width=None if sys.stdout.isatty() else WIDTH_OFF_TERMINAL)
    with Progress(console=console) as progress:
        drawn = draw([*families, *(sorted(BEST_KNOWN) if best_known else [])] or FAMILIES, pictures, seed, progress)
        if not drawn.pictures:
            raise click.ClickException("none of the families can be drawn here")
        result = compare(drawn, engines or tuple(CONTENDERS), model, progress)
    print_result(console, result)
    if json_file is not None:
        head = {
            "seed": seed,
            "pictures_per_family": pictures,
            "is_default_only": defaults,
            "model": load_model(model).name,
        }
        write_json(json_file, result, head)
    if plot is not None:
        write_plot(plot, result)
    if reliability is not None:
        write_reliability(reliability, result)


if __name__ == "__main__":
    main()
