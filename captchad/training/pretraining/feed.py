"""Batches for the trainer: drawn and altered in other processes, and the same after every resume."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager
from multiprocessing import get_context, parent_process
from types import TracebackType
from typing import Self

import numpy as np

from captchad.training.batch import Batch, make_batch
from captchad.training.pretraining.drawing import DrawingPlan, Sight
from captchad.training.recipe import Feeding

# A random stream apart from those of the drawings.
_ORDER = 2


def open_drawers(drawers: int) -> ProcessPoolExecutor:
    """Open processes that draw; Ctrl-C leaves them to whoever opened them."""
    # Not forked: this process has threads, which a child would lose in the middle of their work.
    return ProcessPoolExecutor(drawers, mp_context=get_context("spawn"), initializer=_begin_drawer)


def _begin_drawer() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    # A killed training closes no pool, and its drawers would wait for work for ever.
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class Feed(AbstractContextManager["Feed"]):
    """Yields the batches of a recipe from any number on; what is drawn ahead is kept until seen often enough.

    `drawers` are the processes that draw, for others' use too as long as no batch is asked for.
    """

    def __init__(self, plan: DrawingPlan, feeding: Feeding, drawers: int, planes: int) -> None:
        self._plan = plan
        self._feeding = feeding
        self._planes = planes
        self.drawers = open_drawers(drawers)
        self._preparer = ThreadPoolExecutor(1)
        self._ahead_chunks = drawers + 1
        self._drawings: dict[int, Future[list[list[Sight]]]] = {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._preparer.shutdown(wait=True, cancel_futures=True)
        self.drawers.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def batches(self, first: int) -> Iterator[Batch]:
        """Return batch number `first` and all after it, without end; the next chunk is prepared meanwhile."""
        chunk, skipped = divmod(first, self._feeding.chunk_batches)
        coming = self._begin(chunk)
        while True:
            batches = coming.result()
            coming = self._begin(chunk + 1)
            yield from batches[skipped:]
            chunk, skipped = chunk + 1, 0

    def _begin(self, chunk: int) -> Future[list[Batch]]:
        for ahead in range(self._ahead_chunks):
            for number in self._list_drawings(chunk + ahead):
                if number not in self._drawings:
                    self._drawings[number] = self._draw(number)
        wanted = [self._drawings[number] for number in self._list_drawings(chunk)]
        # No later chunk asks for a drawing numbered below its own.
        for number in [number for number in self._drawings if number <= chunk]:
            del self._drawings[number]
        return self._preparer.submit(self._collate, chunk, wanted)

    def _draw(self, number: int) -> Future[list[list[Sight]]]:
        sights = len(self._feeding.reuse_after_chunks)
        return self.drawers.submit(self._plan.draw_sights, number, self._feeding.drawn_pictures, sights, self._planes)

    def _list_drawings(self, chunk: int) -> list[int]:
        longest = max(self._feeding.reuse_after_chunks)
        return [chunk + longest - after for after in self._feeding.reuse_after_chunks]

    def _collate(self, chunk: int, drawings: Sequence[Future[list[list[Sight]]]]) -> list[Batch]:
        seen = [pair for sight, drawing in enumerate(drawings) for pair in drawing.result()[sight]]
        # Pictures of similar width share a batch, so that little of it is padding.
        order = np.random.default_rng((self._plan.seed, _ORDER, chunk))
        seen = [seen[place] for place in order.permutation(len(seen))]
        seen.sort(key=lambda pair: pair[0].shape[2])
        size = self._feeding.batch_pictures
        batches = [seen[start : start + size] for start in range(0, len(seen), size)]
        first = chunk * self._feeding.chunk_batches
        return [
            make_batch(first + place, batches[which]) for place, which in enumerate(order.permutation(len(batches)))
        ]
