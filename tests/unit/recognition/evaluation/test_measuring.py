"""Reading a folder with an engine: order, batches, cost, and pictures that are none."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from captchad.domain.recognition import Hints, Recognition
from captchad.recognition.decoding import Pixels
from captchad.recognition.evaluation.measuring import measure_outcomes
from captchad.recognition.labelled import LabelledPicture
from captchad.runtime.clock import Clock

HINTS = Hints(max_length=3)


class WidthReader:
    """Reads a picture's width as its text, and takes a tenth of a second of everything for a batch."""

    name = "width-reader"

    def __init__(self, clock: "SetClock", largest_batch: int) -> None:
        self.largest_batch = largest_batch
        self.batches: list[int] = []
        self._clock = clock

    def recognise(self, pictures: Sequence[Pixels], hints: Sequence[Hints]) -> list[Recognition]:
        assert list(hints) == [HINTS] * len(pictures)
        self.batches.append(len(pictures))
        self._clock.seconds += 0.1
        return [Recognition(str(picture.shape[1]), 0.5, self.name) for picture in pictures]


class SetClock(Clock):
    """Stands still until told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic_seconds(self) -> float:
        return self.seconds

    def cpu_seconds(self) -> float:
        return self.seconds / 2


def label(folder: Path, widths: Sequence[int]) -> list[LabelledPicture]:
    for width in widths:
        Image.new("L", (width, 20)).save(folder / f"{width}.png")
    return [LabelledPicture(f"{width}.png", folder / f"{width}.png", str(width)) for width in widths]


def test_outcomes_come_in_order_and_share_the_cost_of_their_batch(tmp_path: Path) -> None:
    clock = SetClock()
    reader = WidthReader(clock, largest_batch=2)
    outcomes = list(measure_outcomes(reader, label(tmp_path, [30, 31, 32]), HINTS, clock))
    assert [(one.file, one.truth, one.text) for one in outcomes] == [(f"{w}.png", str(w), str(w)) for w in (30, 31, 32)]
    assert reader.batches == [2, 1]
    assert [one.wall_ms for one in outcomes] == [50.0, 50.0, 100.0]
    assert [one.cpu_ms for one in outcomes] == [25.0, 25.0, 50.0]


def test_what_cannot_be_decoded_reads_as_nothing_and_keeps_its_place(tmp_path: Path) -> None:
    clock = SetClock()
    pictures = label(tmp_path, [30, 31, 32])
    pictures[0].path.write_bytes(b"rubbish")
    pictures[2].path.unlink()
    outcomes = list(measure_outcomes(WidthReader(clock, 8), pictures, HINTS, clock))
    assert [(one.text, one.confidence) for one in outcomes] == [("", 0.0), ("31", 0.5), ("", 0.0)]
    assert outcomes[0].problem is not None
    assert outcomes[2].problem == "can't be read: no such file or directory"


def test_an_engine_is_not_asked_about_nothing(tmp_path: Path) -> None:
    clock = SetClock()
    pictures = label(tmp_path, [30])
    pictures[0].path.write_bytes(b"")
    reader = WidthReader(clock, 8)
    assert len(list(measure_outcomes(reader, pictures, HINTS, clock))) == 1
    assert reader.batches == []


def test_the_processes_own_clock_counts_cpu_time_forward() -> None:
    clock = Clock()
    before = clock.cpu_seconds()
    sum(number * number for number in range(200_000))
    assert clock.cpu_seconds() > before
