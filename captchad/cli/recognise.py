"""`captchad recognise`: read pictures locally, without a server."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from captchad.cli.printing import print_json, say, show_confidence
from captchad.cli.reading_options import choosing_options, load_recogniser, make_hints, reading_options
from captchad.domain.errors import CaptchadError
from captchad.domain.exit_codes import EXIT_FAILED
from captchad.domain.recognition import Hints, Recognition
from captchad.runtime.clock import Clock, Stopwatch

if TYPE_CHECKING:
    from captchad.recognition.recognition_engine import RecognitionEngine

MANY_FILES = 10
STANDARD_INPUT = Path("-")


@click.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path(allow_dash=True, path_type=Path))
@reading_options
@choosing_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def recognise(
    files: tuple[Path, ...],
    engine: str | None,
    model: Path | None,
    charset: str | None,
    min_length: int | None,
    max_length: int | None,
    kind: str | None,
    colour: str | None,
    position: str | None,
    as_json: bool,
) -> None:
    """Read pictures: a line each with file, text and confidence (0 to 1); FILE - is standard input.

    A picture without readable text has an empty text and confidence 0.
    """
    hints = make_hints(charset, min_length, max_length, kind, colour=colour, position=position)
    outcomes = []
    for outcome in _read_all(_show_progress(files, as_json), (engine, model), hints):
        outcomes.append(outcome)
        if "error" in outcome:
            say(f"captchad: {outcome['file']}: {outcome['error']}", is_error=True)
        elif not as_json:
            say(outcome["file"], outcome["text"], show_confidence(outcome["confidence"]))
    if as_json:
        print_json(outcomes)
    if any("error" in outcome for outcome in outcomes):
        sys.exit(EXIT_FAILED)


def _show_progress(files: tuple[Path, ...], as_json: bool) -> Iterable[Path]:
    if len(files) < MANY_FILES:
        return files
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import track  # noqa: PLC0415

    console = Console(stderr=True)
    # Lines on the same terminal show progress by themselves.
    is_wanted = console.is_terminal and (as_json or not sys.stdout.isatty())
    return track(files, "Reading", console=console, transient=True) if is_wanted else files


def _read_all(files: Iterable[Path], reader: tuple[str | None, Path | None], hints: Hints) -> Iterator[dict[str, Any]]:
    try:
        recogniser = load_recogniser(*reader, hints.charset)
    except CaptchadError as error:
        raise click.ClickException(error.message) from None
    for file in files:
        watch = Stopwatch(Clock())
        try:
            recognition = _read_file(recogniser, file, hints)
        except OSError as error:
            yield {"file": str(file), "error": error.strerror or str(error)}
        except CaptchadError as error:
            yield {"file": str(file), "error": error.message}
        else:
            yield {"file": str(file), **_as_values(recognition), "milliseconds": watch.total_ms()}


def _read_file(recogniser: "RecognitionEngine", file: Path, hints: Hints) -> Recognition:
    from captchad.recognition.decoding import decode_views  # noqa: PLC0415
    from captchad.recognition.reading import recognise_decoded  # noqa: PLC0415

    (recognition,) = recognise_decoded(recogniser, [decode_views(_read_bytes(file))], [hints])
    return recognition


def _read_bytes(file: Path) -> bytes:
    from captchad.domain.picture import PICTURE_LIMIT_BYTES  # noqa: PLC0415

    with nullcontext(sys.stdin.buffer) if file == STANDARD_INPUT else file.open("rb") as stream:
        # One byte more than allowed is enough for the decoder to refuse it.
        return stream.read(PICTURE_LIMIT_BYTES + 1)


def _as_values(recognition: Recognition) -> dict[str, Any]:
    values = asdict(recognition)
    return {key: values[key] for key in ("text", "confidence", "characters", "kind", "expression", "recogniser")}
