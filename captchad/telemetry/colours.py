"""Whether what is written for people may be coloured."""

import os
from typing import TextIO

NO_COLOUR_VARIABLE = "NO_COLOR"


def wants_colours(stream: TextIO) -> bool:
    """Say whether a stream is a terminal whose user has not asked for none (https://no-color.org)."""
    return stream.isatty() and not os.environ.get(NO_COLOUR_VARIABLE)
