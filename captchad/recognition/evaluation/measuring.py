"""Has an engine read labelled pictures, and keeps what came out with what it cost."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from captchad.domain.errors import PictureRefused
from captchad.domain.picture import PICTURE_LIMIT_BYTES
from captchad.domain.recognition import Hints, Recognition
from captchad.recognition.decoding import Decoded, decode_views
from captchad.recognition.evaluation.evaluated_picture import EvaluatedPicture
from captchad.recognition.labelled import LabelledPicture
from captchad.recognition.reading import recognise_decoded
from captchad.recognition.recognition_engine import RecognitionEngine
from captchad.runtime.clock import Clock

BATCH_LIMIT = 16
_MS_PER_SECOND = 1000.0


@dataclass(frozen=True, slots=True)
class _Decoded:
    """One picture on its way: what there is to read, or why there is nothing, and what decoding cost."""

    labelled: LabelledPicture
    views: Decoded | None
    problem: str | None
    cost: "_Cost"


@dataclass(frozen=True, slots=True)
class _Cost:
    cpu_seconds: float
    wall_seconds: float


class _Meter:
    """Tells what was used since it was made; other threads of the process count too."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cpu_seconds, self._wall_seconds = clock.cpu_seconds(), clock.monotonic_seconds()

    def read(self, shared_by: int = 1) -> _Cost:
        """Return each one's part of what was used."""
        cpu_seconds = self._clock.cpu_seconds() - self._cpu_seconds
        wall_seconds = self._clock.monotonic_seconds() - self._wall_seconds
        return _Cost(cpu_seconds / shared_by, wall_seconds / shared_by)


def measure_outcomes(
    engine: RecognitionEngine, pictures: Sequence[LabelledPicture], hints: Hints, clock: Clock
) -> Iterator[EvaluatedPicture]:
    """Return each picture's outcome in their order; one that can't be decoded reads as empty with confidence 0.

    Pictures go to the engine in batches as large as it reads faster together; the batch's cost is shared evenly.
    """
    size = max(1, min(engine.largest_batch, BATCH_LIMIT))
    for start in range(0, len(pictures), size):
        batch = [_decode(labelled, clock) for labelled in pictures[start : start + size]]
        yield from _read_batch(engine, batch, hints, clock)


def _decode(labelled: LabelledPicture, clock: Clock) -> _Decoded:
    meter = _Meter(clock)
    try:
        views, problem = decode_views(read_limited(labelled.path)), None
    except PictureRefused as error:
        views, problem = None, error.message
    except OSError as error:
        views, problem = None, f"can't be read: {(error.strerror or str(error)).lower()}"
    return _Decoded(labelled, views, problem, meter.read())


def read_limited(path: Path) -> bytes:
    """Read a picture's bytes, and one more than allowed at most: enough for the decoder to refuse it."""
    with path.open("rb") as stream:
        return stream.read(PICTURE_LIMIT_BYTES + 1)


def _read_batch(
    engine: RecognitionEngine, batch: Sequence[_Decoded], hints: Hints, clock: Clock
) -> Iterator[EvaluatedPicture]:
    views = [decoded.views for decoded in batch if decoded.views is not None]
    meter = _Meter(clock)
    recognitions = iter(recognise_decoded(engine, views, [hints] * len(views)) if views else ())
    cost = meter.read(max(len(views), 1))
    for decoded in batch:
        if decoded.views is None:
            yield _describe(decoded, None, _Cost(0.0, 0.0))
        else:
            yield _describe(decoded, next(recognitions), cost)


def _describe(decoded: _Decoded, recognition: Recognition | None, reading: _Cost) -> EvaluatedPicture:
    return EvaluatedPicture(
        file=decoded.labelled.file,
        truth=decoded.labelled.text,
        text="" if recognition is None else recognition.text,
        confidence=0.0 if recognition is None else recognition.confidence,
        cpu_ms=round((decoded.cost.cpu_seconds + reading.cpu_seconds) * _MS_PER_SECOND, 3),
        wall_ms=round((decoded.cost.wall_seconds + reading.wall_seconds) * _MS_PER_SECOND, 3),
        problem=decoded.problem,
    )
