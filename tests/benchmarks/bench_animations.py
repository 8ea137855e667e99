"""How animations are read whose frames disagree: by one composition, by the frames alone, and by all of them.

Run as `python -m tests.benchmarks.bench_animations`; `--help` names the options. Letters blink, fade, come one by one
or move, in the fonts at hand (docs/fonts.md) and in three formats, while noise is drawn anew in each frame. Right is
right but for case.
"""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence

import click

from captchad.domain.recognition import Hints, Recognition
from captchad.recognition.captchad_engine import CaptchadEngine, load_captchad_engine
from captchad.recognition.decoding import Decoded, decode_views
from captchad.recognition.reading import recognise_decoded
from captchad.training.pictures.fonts import list_fonts
from tests.benchmarks.recognition.animations import PLANS, draw_animation

SURE, UNSURE = 0.9, 0.3
Way = Callable[[CaptchadEngine, Decoded], Recognition]


def read_composition(engine: CaptchadEngine, views: Decoded) -> Recognition:
    """Read the most legible composition alone."""
    return engine.recognise(views.compositions[:1], [Hints()])[0]


def read_likeliest(engine: CaptchadEngine, views: Decoded) -> Recognition:
    """Read all compositions, and believe the surest."""
    read = engine.recognise(views.compositions, [Hints()] * len(views.compositions))
    return max(read, key=lambda one: one.confidence)


def read_frames(engine: CaptchadEngine, views: Decoded) -> Recognition:
    """Read the frames, and take the text that most of them show."""
    frames = views.frames or views.compositions
    read = engine.recognise(frames, [Hints()] * len(frames))
    texts = [one.text.lower() for one in read]
    return max(read, key=lambda one: (texts.count(one.text.lower()), one.confidence))


def read_all(engine: CaptchadEngine, views: Decoded) -> Recognition:
    """Read as captchad does."""
    return recognise_decoded(engine, [views], [Hints()])[0]


WAYS: dict[str, Way] = {
    "most legible composition": read_composition,
    "surest composition": read_likeliest,
    "most frames": read_frames,
    "compositions and frames": read_all,
}


def describe(rated: Sequence[tuple[bool, float]]) -> str:
    """Return how many are right, right or unsure, and wrong although sure."""
    right = sum(is_right for is_right, _ in rated)
    harmless = sum(is_right or confidence < UNSURE for is_right, confidence in rated)
    wrong = sum(not is_right and confidence >= SURE for is_right, confidence in rated)
    return f"{right} / {harmless} / {wrong}"


@click.command()
@click.option("--pictures", default=40, help="Animations of each style.")
@click.option("--seed", default="1", help="Others draw other animations.")
def main(pictures: int, seed: str) -> None:
    """Print for each style and way: right / right or below 0.3 / wrong at 0.9 or more."""
    engine, fonts = load_captchad_engine(), list_fonts()
    click.echo("| style | " + " | ".join(WAYS) + " |\n|---|" + "---|" * len(WAYS))
    total: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    reading_seconds = 0.0
    for style in PLANS:
        rated: dict[str, list[tuple[bool, float]]] = defaultdict(list)
        for number in range(pictures):
            drawn = draw_animation(random.Random(f"{seed}:{style}:{number}"), fonts, style)
            for name, way in WAYS.items():
                began = time.process_time()
                found = way(engine, decode_views(drawn.data))
                reading_seconds += (time.process_time() - began) * (way is read_all)
                rated[name].append((found.text.lower() == drawn.text.lower(), found.confidence))
        for name, rows in rated.items():
            total[name] += rows
        click.echo(f"| {style} | " + " | ".join(describe(rows) for rows in rated.values()) + " |")
    click.echo("| all | " + " | ".join(describe(rows) for rows in total.values()) + " |")
    count = len(PLANS) * pictures
    click.echo(f"{count} animations; {1000 * reading_seconds / count:.0f} ms of CPU each, decoding included")


if __name__ == "__main__":
    main()
