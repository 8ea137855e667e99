"""How commercial designs begin: large heavy letters."""

import random

from PIL import Image

from captchad.training.pictures.design_greys import Greys, blend, choose_greys
from captchad.training.pictures.design_rows import Row, Written, choose_size, write_row
from captchad.training.pictures.font_kinds import choose_kind
from captchad.training.pictures.glyphs import Pose
from captchad.training.pictures.planes import to_image


def write_bold(text: str, source: random.Random, heights: tuple[int, int] = (46, 80), **changes: float) -> Written:
    """Write large heavy letters, apart from each other, hardly turned."""
    size = choose_size(text, source, (150, 250), heights, 5)
    fonts = choose_kind(source, text, "serif" if source.random() < changes.get("serif_chance", 0.3) else "bold")
    pose = Pose(turn_degrees=source.choice((0, 8, 22)), slant=source.choice((0, 0.25)))
    gap = changes.get("gap", source.uniform(-0.06, 0.14))
    row = Row(fonts, size=changes.get("size", 0.9), is_heavy=True, pose=pose, drift=0.08, gap=gap)
    return write_row(text, size, row, source)


def begin_bold(text: str, source: random.Random) -> tuple[Image.Image, Greys]:
    """Write such letters on a picture to draw on, whose two greys are told."""
    cover, greys = write_bold(text, source, (50, 90)).cover, choose_greys(source)
    return to_image(blend(cover, greys)), greys
