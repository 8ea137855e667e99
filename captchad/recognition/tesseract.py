"""The engine tesseract: the program of that name, run as a child process for each picture."""

import contextlib
import logging
import os
import resource
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_letters, digits

import numpy as np
from PIL import Image

from captchad.domain.arithmetic import read_arithmetic
from captchad.domain.errors import DependencyMissing
from captchad.domain.recognition import CaptchaKind, Character, Hints, Recognition
from captchad.recognition.decoding import is_blank
from captchad.recognition.flattening import Pixels, to_grey

PROGRAM = "tesseract"
INSTALLATION = "install the program, on Debian: apt-get install tesseract-ocr"
WALL_LIMIT_SECONDS = 10.0
CPU_LIMIT_SECONDS = 10
MEMORY_LIMIT_BYTES = 1024 * 1024 * 1024
GREATEST_CONFIDENCE = 0.2
"""The program's own confidence is not calibrated: where it is high, it is still wrong more often than right."""

_INPUT_HEIGHT_PIXELS = 64
_INPUT_WIDTHS_PIXELS = (16, 2048)
_MARGIN_PIXELS = 16
_DARK_GROUND = 102
_WHITE = 255
_ONE_LINE = "7"
_WORD_LEVEL = "5"
_COLUMNS = 12
_CONFIDENCE_COLUMN, _TEXT_COLUMN = 10, 11
_SIGNS = "+-×÷*/=?"
_ARITHMETIC_CHARACTERS = digits + _SIGNS + "xX"
_ARITHMETIC_SPELLING = str.maketrans({"x": "×", "X": "×", "*": "×", "/": "÷"})

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Line:
    """What the program read: the text without spaces, and the lowest confidence of its words (0..1)."""

    text: str
    claim: float


class TesseractEngine:
    """Reads one line with the program's English model; the alphabet is masked, lengths only checked."""

    largest_batch = 1

    def __init__(self, program: str, version: str) -> None:
        self.name = f"{PROGRAM}-{version}"
        self._program = program

    def recognise(self, pictures: Sequence[Pixels], hints: Sequence[Hints]) -> list[Recognition]:
        """Read each picture with its hints; an empty text means that nothing that fits them could be read."""
        return [self._recognise_one(picture, hint) for picture, hint in zip(pictures, hints, strict=True)]

    def _recognise_one(self, pixels: Pixels, hints: Hints) -> Recognition:
        line = None if is_blank(pixels) else self._run(_prepare(to_grey(pixels)), _choose_characters(hints))
        kind, text, shown, expression = _interpret(line.text if line else "", hints)
        # Checked only afterwards: the program knows no length bounds.
        if line is None or not text or not _keeps_lengths(text, hints):
            return Recognition("", 0.0, self.name, hints.kind or CaptchaKind.TEXT)
        # Squared, so that only its highest claims come near the limit (docs/recognition.md).
        confidence = round(GREATEST_CONFIDENCE * line.claim**2, 4)
        characters = tuple(Character(character, confidence) for character in shown)
        return Recognition(text, confidence, self.name, kind, characters, expression)

    def _run(self, picture: bytes, characters: str) -> _Line | None:
        """Run the program on one picture; None where it failed or hit a limit."""
        command = [
            *(self._program, "stdin", "stdout", "-l", "eng", "--psm", _ONE_LINE),
            *("-c", "tessedit_create_tsv=1", "-c", f"tessedit_char_whitelist={characters}"),
        ]
        with subprocess.Popen(  # noqa: S603 - no shell; the only foreign part is one argument's value
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # None of our environment: it holds passwords. One thread, as the other engines.
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "OMP_THREAD_LIMIT": "1"},
        ) as process:
            # It still waits for input, so the limits hold before any of the picture is decoded.
            _limit(process.pid)
            try:
                output, errors = process.communicate(picture, WALL_LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                _logger.warning("tesseract was killed: it took more than %s s for one picture", WALL_LIMIT_SECONDS)
                return None
            finally:
                process.kill()
        if process.returncode:
            said = errors.decode("utf-8", "replace").strip()
            _logger.warning("tesseract ended with %s: %s", process.returncode, said)
            return None
        return _read_table(output.decode("utf-8", "replace"), characters)


def load_tesseract() -> TesseractEngine:
    """Find the program and its English model; DependencyMissing says what is missing."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise DependencyMissing(f"the engine tesseract is not installed; {INSTALLATION}")
    version = _ask(program, "--version").partition("\n")[0].removeprefix(PROGRAM).strip()
    if "eng" not in _ask(program, "--list-langs").split("\n"):
        raise DependencyMissing(f"tesseract has no English model; {INSTALLATION}-eng")
    return TesseractEngine(program, version)


def _ask(program: str, question: str) -> str:
    try:
        answer = subprocess.run(  # noqa: S603 - a program found on PATH, with a fixed argument
            [program, question], capture_output=True, check=True, text=True, timeout=WALL_LIMIT_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise DependencyMissing(f"{program} can't be run ({error}); {INSTALLATION}") from error
    return answer.stdout


def _limit(pid: int) -> None:
    for which, limit in ((resource.RLIMIT_CPU, CPU_LIMIT_SECONDS), (resource.RLIMIT_AS, MEMORY_LIMIT_BYTES)):
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, which, (limit, limit))


def _prepare(pixels: Pixels) -> bytes:
    """Return the picture as PGM: dark on light, scaled, with a margin of its own ground."""
    dark_on_light = _WHITE - pixels if np.median(pixels) < _DARK_GROUND else pixels
    height, width = pixels.shape
    least, greatest = _INPUT_WIDTHS_PIXELS
    size = (min(max(round(width * _INPUT_HEIGHT_PIXELS / height), least), greatest), _INPUT_HEIGHT_PIXELS)
    resized = np.asarray(Image.fromarray(dark_on_light).resize(size, Image.Resampling.LANCZOS))
    framed = np.pad(resized, _MARGIN_PIXELS, constant_values=int(np.median(resized)))
    return b"P5\n%d %d\n%d\n" % (framed.shape[1], framed.shape[0], _WHITE) + framed.tobytes()


def _choose_characters(hints: Hints) -> str:
    if hints.kind is CaptchaKind.MATH:
        return _ARITHMETIC_CHARACTERS
    if hints.charset is not None:
        return "".join(sorted(character for character in set(hints.charset) - {" "} if character.isprintable()))
    return ascii_letters + digits + ("" if hints.kind is CaptchaKind.TEXT else _SIGNS)


def _read_table(table: str, characters: str) -> _Line:
    """Read the program's TSV: its words one after another, without what was not asked for."""
    rows = [line.split("\t") for line in table.splitlines()]
    words = [row for row in rows if len(row) == _COLUMNS and row[0] == _WORD_LEVEL]
    text = "".join(character for row in words for character in row[_TEXT_COLUMN] if character in characters)
    claim = min((float(row[_CONFIDENCE_COLUMN]) for row in words), default=0.0) / 100
    return _Line(text, min(max(claim, 0.0), 1.0))


def _interpret(read: str, hints: Hints) -> tuple[CaptchaKind, str, str, str | None]:
    """Return kind, answer, the characters it was read from, and the expression if it is arithmetic."""
    spelled = read.translate(_ARITHMETIC_SPELLING)
    is_arithmetic_possible = hints.kind is CaptchaKind.MATH or (
        hints.kind is None and hints.charset is None and "=" in read
    )
    found = read_arithmetic(spelled) if is_arithmetic_possible else None
    if found is not None:
        return CaptchaKind.MATH, str(found.result), spelled, found.expression
    if hints.kind is CaptchaKind.MATH:
        return CaptchaKind.MATH, "", "", None
    text = read if hints.charset is not None else "".join(filter((ascii_letters + digits).__contains__, read))
    return CaptchaKind.TEXT, text, text, None


def _keeps_lengths(text: str, hints: Hints) -> bool:
    return len(text) >= (hints.min_length or 0) and (hints.max_length is None or len(text) <= hints.max_length)
