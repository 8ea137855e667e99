"""Keeps the models that were learned for this worker's targets up to date, without a restart."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from captchad.broker.connection import Broker
from captchad.broker.events import EventFeed
from captchad.broker.learned_models import LearnedModels
from captchad.domain.errors import DependencyMissing
from captchad.domain.learned_model import PACKAGED, ModelChoice
from captchad.recognition.model_shelf import ModelShelf
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service, ServiceHealth
from captchad.runtime.spawn import TaskSet
from captchad.telemetry.metrics import Metrics

LOOK_SECONDS = 60.0
"""Between two looks when no event comes: events can be missed."""

_logger = logging.getLogger(__name__)


class ModelUpdates(Service):
    """Fetches each target's present model by its hash, checks it, and has the target read with it from then on.

    What can't be used is refused once, and what served before goes on. Where Redis knows nothing of a target (its
    data were lost) what was chosen last stays.
    """

    name = "models"

    def __init__(
        self,
        broker: Broker,
        shelf: ModelShelf,
        feed: EventFeed,
        hosts: Callable[[], Sequence[str]],
        metrics: Metrics,
    ) -> None:
        self._broker = broker
        self._models = LearnedModels(broker)
        self._shelf = shelf
        self._feed = feed
        self._hosts = hosts
        self._metrics = metrics
        self._serving: dict[str, str] = {}
        self._refused: set[str] = set()
        self._said: set[tuple[str, str]] = set()
        self._looking = Periodic(self.name, LOOK_SECONDS, self._update)
        self._work = TaskSet(self.name)

    def paths(self) -> dict[str, str]:
        """Return the file of each target that is read with a learned model."""
        return {host: str(self._shelf.path(digest)) for host, digest in list(self._serving.items())}

    def health(self) -> ServiceHealth:
        """Say which learned model reads which target."""
        return ServiceHealth(is_ready=True, details={"learned": {host: one[:8] for host, one in self._serving.items()}})

    def look_now(self) -> None:
        """Look for new models at once; for a configuration that has other targets now."""
        self._looking.wake()

    async def start(self) -> None:
        """Have every target's model before its first picture comes."""
        for host in self._hosts():
            choice = await asyncio.to_thread(self._shelf.recall, host)
            if choice is not None and choice.present != PACKAGED:
                await self._choose(host, choice)
        async with self._broker.waited_out():
            await self._update()

    async def run(self) -> None:
        """Look for new models until cancelled: at every event that may mean one, and now and then besides."""
        following = self._work.spawn(self._follow(), "following")
        try:
            await self._looking.run()
        finally:
            following.cancel()

    async def _follow(self) -> None:
        async with self._feed.subscription() as events:
            async for event in events:
                if event.kind in {"target", "reconnected"}:
                    self._looking.wake()

    async def _update(self) -> None:
        hosts = tuple(dict.fromkeys(self._hosts()))
        choices = await self._models.read(hosts)
        for host in self._serving.keys() - set(hosts):
            del self._serving[host]
        for host, choice in choices.items():
            if choice.present == self._serving.get(host, PACKAGED):
                continue
            if await self._choose(host, choice):
                await self._remember(host, choice, choices)
        self._metrics.set_learned_models(len(self._serving))

    async def _choose(self, host: str, choice: ModelChoice) -> bool:
        """Have a target read with its chosen model; whether it is from now on."""
        digest = choice.present
        if digest in self._refused:
            return False
        try:
            if digest != PACKAGED:
                await self._obtain(host, digest)
        except (DependencyMissing, OSError) as error:
            self._say_refused(host, digest, getattr(error, "message", str(error)))
            return False
        if digest == PACKAGED:
            self._serving.pop(host, None)
            _logger.info("%s is read with the packaged model again", host)
        else:
            self._serving[host] = digest
            _logger.info("%s is read with the learned model %s from now on", host, digest[:8])
        self._metrics.record_model_change("installed")
        return True

    async def _remember(self, host: str, choice: ModelChoice, choices: Mapping[str, ModelChoice]) -> None:
        try:
            await asyncio.to_thread(self._shelf.remember, host, choice)
            await asyncio.to_thread(self._shelf.tidy, choices)
        except OSError as error:
            _logger.warning("which model reads %s can't be kept for the next start: %s", host, error.strerror)

    async def _obtain(self, host: str, digest: str) -> None:
        """Have a model on this host, checked."""
        try:
            await asyncio.to_thread(self._shelf.check, digest)
        except DependencyMissing:
            file = await self._models.fetch(host, digest)
            if file is None:
                raise DependencyMissing("it is neither here nor in Redis") from None
            try:
                await asyncio.to_thread(self._shelf.put, digest, file)
            except DependencyMissing:
                # It would be no better the next time; what is missing may come yet.
                self._refused.add(digest)
                raise

    def _say_refused(self, host: str, digest: str, reason: str) -> None:
        """Say once what is wrong with a model."""
        if (digest, reason) in self._said:
            return
        self._said.add((digest, reason))
        self._metrics.record_model_change("refused")
        served = self._serving.get(host, PACKAGED)[:8] or "the packaged model"
        _logger.error("the learned model %s for %s is refused: %s; %s stays in use", digest[:8], host, reason, served)
