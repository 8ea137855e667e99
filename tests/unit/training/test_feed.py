"""Batches out of drawings, and the same ones after a resume."""

import signal
import subprocess
import sys
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np
import psutil

from captchad.training.batch import Batch
from captchad.training.network import count_steps
from captchad.training.pretraining.drawing import DrawingPlan
from captchad.training.pretraining.feed import Feed
from captchad.training.recipe import Feeding
from tests.patience import PATIENCE_SECONDS
from tests.processes import is_alive

PLAN = DrawingPlan((("captcha", 1.0),), seed=3, altered_share=0.5)
FEEDING = Feeding(batch_pictures=4, chunk_batches=3, reuse_after_chunks=(0, 1, 3))


def take_batches(first: int, count: int) -> list[Batch]:
    with Feed(PLAN, FEEDING, drawers=1, planes=4) as feed:
        return list(islice(feed.batches(first), count))


def test_a_feed_begun_later_gives_the_same_batches() -> None:
    straight = take_batches(0, 8)
    resumed = take_batches(5, 3)
    assert [batch.number for batch in straight] == list(range(8))
    for expected, found in zip(straight[5:], resumed, strict=True):
        assert found.number == expected.number
        assert found.labels == expected.labels
        assert np.array_equal(found.pictures, expected.pictures)


def test_every_drawn_picture_is_seen_again_and_altered() -> None:
    chunks = 5
    batches = take_batches(0, chunks * FEEDING.chunk_batches)
    seen = [labels for batch in batches for labels in batch.labels]
    # The drawings of the last full round: as many sights as the recipe says.
    assert any(seen.count(labels) == len(FEEDING.reuse_after_chunks) for labels in seen)
    again = [
        batch.pictures[place]
        for batch in batches
        for place, labels in enumerate(batch.labels)
        if seen.count(labels) == len(FEEDING.reuse_after_chunks)
    ]
    assert len({picture.tobytes() for picture in again}) == len(again)


def test_batches_have_their_size_and_room_for_their_labels() -> None:
    for batch in take_batches(0, 3):
        assert len(batch.labels) == len(batch.widths) == FEEDING.batch_pictures
        assert batch.pictures.shape[0] == FEEDING.batch_pictures
        assert batch.pictures.shape[3] >= max(batch.widths)
        assert all(len(label) <= count_steps(width) for label, width in zip(batch.labels, batch.widths, strict=True))


KILLED_PARENT = """
import os, signal
from captchad.training.pretraining.feed import open_drawers
if __name__ == "__main__":
    print(open_drawers(1).submit(os.getpid).result(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_no_drawer_outlives_a_training_that_was_killed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(KILLED_PARENT, encoding="utf-8")
    # The output ends when the last process that could write to it has ended.
    done = subprocess.run([sys.executable, str(program)], capture_output=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == -signal.SIGKILL
    with suppress(psutil.NoSuchProcess):
        # Who adopts an orphan may take its time to bury it.
        assert not is_alive(psutil.Process(int(done.stdout)))
