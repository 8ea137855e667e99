"""A text network of the ddddocr wheel, run on one CPU thread; the wheel's own code is never imported."""

import ast
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from captchad.domain.errors import DependencyMissing
from captchad.recognition.flattening import Pixels, to_grey
from captchad.recognition.onnx_session import open_session
from captchad.runtime.extras import Extra, describe_missing, install_command

PACKAGE = "ddddocr"
INPUT_HEIGHT_PIXELS = 64
INPUT_WIDTH_LIMIT_PIXELS = 1024
_INPUT_WIDTH_LEAST_PIXELS = 16
_WHITE = 255.0
_DARK_GROUND = 0.4

Probabilities = NDArray[np.float32]
"""A network's output for one picture, softmax over its columns, shape (steps, columns); every row adds up to 1."""


@dataclass(frozen=True, slots=True)
class NetworkSource:
    """A network's file in the wheel, and the factor by which it wants pictures widened."""

    file_name: str
    charset_name: str
    stretch: float


class Network:
    """One loaded network; `charset` names its columns, the first being the blank."""

    def __init__(self, session: onnxruntime.InferenceSession, charset: tuple[str, ...], stretch: float) -> None:
        self.charset = charset
        self._session = session
        self._input_name: str = session.get_inputs()[0].name
        self._stretch = stretch
        self._numbers = {character: number for number, character in enumerate(charset)}

    def column_of(self, character: str) -> int | None:
        """Return the column of a character, or None where the network doesn't know it."""
        return self._numbers.get(character)

    def run(self, pixels: Pixels) -> Probabilities:
        """Return the network's output for one picture."""
        values = np.asarray(self._resize(to_grey(pixels)), dtype=np.float32) / np.float32(_WHITE)
        if np.median(values) < _DARK_GROUND:
            # Trained on dark text, the networks read a third as much of white on black.
            values = np.float32(1) - values
        (output,) = self._session.run(None, {self._input_name: values[None, None]})
        logits = np.asarray(output, dtype=np.float32).reshape(-1, len(self.charset))
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), dtype=np.float32)

    def _resize(self, pixels: Pixels) -> Image.Image:
        height, width = pixels.shape
        wanted = round(width * INPUT_HEIGHT_PIXELS * self._stretch / height)
        bounded = min(max(wanted, _INPUT_WIDTH_LEAST_PIXELS), INPUT_WIDTH_LIMIT_PIXELS)
        return Image.fromarray(pixels).resize((bounded, INPUT_HEIGHT_PIXELS), Image.Resampling.LANCZOS)


def load_network(source: NetworkSource) -> Network:
    """Load one network of the installed wheel; DependencyMissing where the wheel or its file is not there."""
    folder = find_package_folder()
    try:
        charset = read_charset(folder / "charsets.py", source.charset_name)
        session = open_session(folder / source.file_name)
    except (OSError, SyntaxError, KeyError, RuntimeError) as error:
        raise DependencyMissing(
            f"the model {source.file_name} of {PACKAGE} can't be loaded ({error}); "
            f"reinstall: {install_command(Extra.DDDDOCR)}"
        ) from error
    return Network(session, charset, source.stretch)


def find_package_folder() -> Path:
    """Find the wheel's folder without importing it, which would load OpenCV."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise DependencyMissing(describe_missing(Extra.DDDDOCR, f"the engine {PACKAGE}"))
    return Path(spec.origin).parent


def read_charset(path: Path, name: str) -> tuple[str, ...]:
    """Read one list of characters out of the wheel's source without running it; KeyError where it isn't there."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            # Parsed, not imported: the wheel's own modules load OpenCV.
            return tuple(ast.literal_eval(node.value))
    raise KeyError(name)
