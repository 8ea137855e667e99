"""Recognition for an asyncio process: one thread, fed in batches, that never blocks the event loop."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from captchad.domain.errors import AttemptFailed, DependencyMissing, PictureRefused, TaskErrorCode
from captchad.domain.recognition import Hints, Recognition
from captchad.recognition.decoding import Decoded, decode_views
from captchad.recognition.model_registry import ModelRegistry
from captchad.recognition.reading import recognise_decoded
from captchad.recognition.recognition_engine import RecognitionEngine
from captchad.runtime.service import Service, ServiceHealth

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Waiting:
    """One picture on its way through the thread."""

    picture: bytes
    hints: Hints
    target: str | None
    answer: "asyncio.Future[Recognition]"


class RecognitionService(Service):
    """Reads pictures one batch after another in a thread of its own.

    `engine_factory` loads the engine (in the thread, at start); `batch_size` bounds how many waiting pictures go
    to it at once, as far as it reads them faster together. `registry` has the models of single targets.
    """

    name = "recognition"

    def __init__(
        self, engine_factory: Callable[[], RecognitionEngine], batch_size: int, registry: ModelRegistry | None = None
    ) -> None:
        self._engine_factory = engine_factory
        self._registry = registry
        self._batch_size = batch_size
        self._engine: RecognitionEngine | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._is_closed = False
        self._read_count = 0

    async def start(self) -> None:
        """Load the engine and all models; DependencyMissing where one is missing."""
        # One thread, as engines require (see RecognitionEngine).
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recognition")
        loop = asyncio.get_running_loop()
        self._engine = await loop.run_in_executor(self._thread, self._engine_factory)
        if self._registry is not None:
            await loop.run_in_executor(self._thread, self._registry.load_all)

    async def run(self) -> None:
        """Read waiting pictures until cancelled."""
        while True:
            await self._arrived.wait()
            batch = self._take_batch()
            if batch:
                await self._read_batch(batch)

    async def close(self) -> None:
        """End the thread after its current batch; waiting callers get an AttemptFailed."""
        self._is_closed = True
        while self._waiting:
            _settle(
                self._waiting.popleft(), AttemptFailed(TaskErrorCode.INTERNAL_ERROR, "the recognition engine has ended")
            )
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)

    def health(self) -> ServiceHealth:
        """Say which engine is loaded, how many pictures wait and how many were read."""
        engine = self._engine
        return ServiceHealth(
            is_ready=engine is not None and not self._is_closed,
            reason="" if engine is not None else "the recognition engine is not loaded",
            details={
                "recogniser": None if engine is None else engine.name,
                "models": [] if self._registry is None else list(self._registry.names()),
                "waiting": len(self._waiting),
                "read": self._read_count,
            },
        )

    async def recognise(self, picture: bytes, hints: Hints, target: str | None = None) -> Recognition:
        """Read one picture with the target's model, if it has one of its own.

        AttemptFailed (captcha_unreadable) where it is no picture or nothing can be read.
        """
        if self._is_closed:
            raise AttemptFailed(TaskErrorCode.INTERNAL_ERROR, "the recognition engine has ended")
        if self._registry is None or not self._registry.has_model(target):
            target = None
        waiting = _Waiting(picture, hints, target, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._arrived.set()
        return await waiting.answer

    def _take_batch(self) -> list[_Waiting]:
        assert self._engine is not None
        limit = min(self._batch_size, self._engine.largest_batch)
        batch: list[_Waiting] = []
        while self._waiting and len(batch) < limit:
            # A batch has one model.
            if batch and self._waiting[0].target != batch[0].target:
                break
            waiting = self._waiting.popleft()
            # Its attempt may have been cancelled while it waited.
            if not waiting.answer.done():
                batch.append(waiting)
        if not self._waiting:
            self._arrived.clear()
        return batch

    async def _read_batch(self, batch: Sequence[_Waiting]) -> None:
        assert self._thread is not None
        try:
            outcomes = await asyncio.get_running_loop().run_in_executor(
                self._thread,
                self._read,
                batch[0].target,
                [(waiting.picture, waiting.hints) for waiting in batch],
            )
        except asyncio.CancelledError:
            ended = AttemptFailed(TaskErrorCode.INTERNAL_ERROR, "the recognition engine has ended")
            for waiting in batch:
                _settle(waiting, ended)
            raise
        self._read_count += len(batch)
        for waiting, outcome in zip(batch, outcomes, strict=True):
            _settle(waiting, outcome)

    def _read(self, target: str | None, pictures: Sequence[tuple[bytes, Hints]]) -> list[Recognition | AttemptFailed]:
        """Read a batch in the thread, with the model of the target that all of it belongs to."""
        assert self._engine is not None
        engine: RecognitionEngine | None = None
        if target is not None and self._registry is not None:
            try:
                engine = self._registry.find(target)
            except DependencyMissing as error:
                _logger.error("%s", error.message)  # noqa: TRY400
                return [AttemptFailed(TaskErrorCode.INTERNAL_ERROR, error.message)] * len(pictures)
        return read_pictures(engine or self._engine, pictures)


def read_pictures(
    engine: RecognitionEngine, pictures: Sequence[tuple[bytes, Hints]]
) -> list[Recognition | AttemptFailed]:
    """Decode and read pictures in the calling thread; each has an outcome of its own, and nothing is raised."""
    outcomes: list[Recognition | AttemptFailed | None] = [None] * len(pictures)
    decoded: list[tuple[int, Decoded, Hints]] = []
    for number, (picture, hints) in enumerate(pictures):
        try:
            decoded.append((number, decode_views(picture), hints))
        except PictureRefused as error:
            outcomes[number] = refused = AttemptFailed(TaskErrorCode.CAPTCHA_UNREADABLE, error.message)
            # Another reading may do better with the same picture, but nothing with one that is no whole picture.
            refused.__cause__ = error
    try:
        read = recognise_decoded(engine, [views for _, views, _ in decoded], [hints for _, _, hints in decoded])
    except Exception as error:  # an engine's error must not end the thread for all other pictures
        _logger.exception("the recognition engine failed")
        failure = AttemptFailed(TaskErrorCode.INTERNAL_ERROR, f"the recognition engine failed: {error}")
        return [outcome or failure for outcome in outcomes]
    for (number, _, _), recognition in zip(decoded, read, strict=True):
        outcomes[number] = recognition if recognition.text else _say_unreadable()
    return [outcome for outcome in outcomes if outcome is not None]


def _say_unreadable() -> AttemptFailed:
    return AttemptFailed(TaskErrorCode.CAPTCHA_UNREADABLE, "no text that fits the hints can be read in the picture")


def _settle(waiting: _Waiting, outcome: Recognition | AttemptFailed) -> None:
    if waiting.answer.done():
        return
    if isinstance(outcome, AttemptFailed):
        waiting.answer.set_exception(outcome)
    else:
        waiting.answer.set_result(outcome)
