"""Draws a sheet of samples to look at: `python -m captchad.training.pictures --out sheet.png`."""

import argparse
import sys
from pathlib import Path

from PIL import Image, ImageDraw

from captchad.runtime.clock import Clock
from captchad.training.pictures.catalogue import load_families
from captchad.training.pictures.source import Family, PictureSource, WeightedFamily
from captchad.training.sample import Sample

_CELL_WIDTH_PIXELS, _CELL_HEIGHT_PIXELS, _CAPTION_PIXELS = 240, 96, 14


def main() -> None:
    """Draw the sheet."""
    parser = argparse.ArgumentParser(prog="python -m captchad.training.pictures", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--family", action="append", help="only this one; may be given again")
    parser.add_argument("--count", type=int, default=12, help="samples of each family")
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--augmented", type=float, default=0.0, help="share of pictures altered afterwards")
    given = parser.parse_args()
    samples = []
    for family in load_families(given.family):
        samples += _draw_samples(family, given)
    draw_sheet(samples, given.columns).save(given.out)


def _draw_samples(family: Family, given: argparse.Namespace) -> list[Sample]:
    source = PictureSource([WeightedFamily(family)], given.seed, given.augmented)
    source.draw(0)
    clock = Clock()
    started = clock.monotonic_seconds()
    samples = [source.draw(number) for number in range(given.count)]
    seconds = clock.monotonic_seconds() - started
    sys.stdout.write(f"{family.name}: {given.count / max(seconds, 1e-9):.0f} pictures a second\n")
    return samples


def draw_sheet(samples: list[Sample], columns: int) -> Image.Image:
    """Lay samples out in a grid, each under its text."""
    rows = -(-len(samples) // columns)
    row_pixels = _CELL_HEIGHT_PIXELS + _CAPTION_PIXELS
    sheet = Image.new("RGB", (columns * _CELL_WIDTH_PIXELS, rows * row_pixels), "#ffe")
    draw = ImageDraw.Draw(sheet)
    for number, sample in enumerate(samples):
        left, top = number % columns * _CELL_WIDTH_PIXELS, number // columns * row_pixels
        draw.text((left + 2, top + 1), f"{sample.text}   {sample.family}", fill="#a00")
        image = Image.fromarray(sample.picture)
        image.thumbnail((_CELL_WIDTH_PIXELS - 4, _CELL_HEIGHT_PIXELS - 2))
        sheet.paste(image, (left + 2, top + _CAPTION_PIXELS))
    return sheet


if __name__ == "__main__":
    main()
