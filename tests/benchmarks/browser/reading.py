"""The recogniser that all contestants share; it needs numpy, Pillow and onnxruntime wherever one lives."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from captchad.domain.errors import AttemptFailed
from captchad.domain.recognition import Hints
from captchad.recognition.captchad_engine import load_captchad_engine
from captchad.recognition.service import read_pictures

NO_RECOGNISER = "none"
Read = Callable[[bytes], str]


class Reader:
    """Reads pictures one after another in a thread of its own, or not at all."""

    def __init__(self, recogniser: str) -> None:
        self._read = _load(recogniser)
        self._thread = ThreadPoolExecutor(max_workers=1)

    async def read(self, picture: bytes) -> str:
        """Return the text of a picture."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, picture)

    def read_now(self, picture: bytes) -> str:
        """Return the text of a picture, to a thread."""
        return self._thread.submit(self._read, picture).result()


def _load(recogniser: str) -> Read:
    if recogniser == NO_RECOGNISER:
        return lambda _: ""
    engine = load_captchad_engine()

    def read(picture: bytes) -> str:
        [found] = read_pictures(engine, [(picture, Hints())])
        return "" if isinstance(found, AttemptFailed) else found.text

    return read
