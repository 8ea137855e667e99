"""A stripped picture file, and the orientation of its picture."""

from dataclasses import dataclass

FRAMES_LIMIT = 100
UPRIGHT = 1


@dataclass(frozen=True, slots=True)
class Essentials:
    """A file with nothing but its pixels; `orientation` is EXIF's, 1 to 8, and 1 where none is given."""

    data: bytes
    orientation: int = UPRIGHT
