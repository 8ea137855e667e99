"""Each declared target as it counts now: narrowed by operators, and open only with a proof or where none is needed."""

from collections.abc import Callable, Mapping, Sequence

from captchad.broker.connection import Broker
from captchad.broker.events import EventFeed
from captchad.broker.target_narrowings import TargetNarrowings
from captchad.broker.target_proofs import TargetProofs
from captchad.domain.narrowing import NOT_NARROWED, Narrowing
from captchad.domain.proof import NOTHING_KNOWN, KnownProofs
from captchad.domain.target import Target
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service
from captchad.runtime.spawn import TaskSet

LOOK_SECONDS = 30.0
"""Between two looks when no event comes: events can be missed, and a grace ends by itself."""


class TargetRules(Service):
    """Keeps what is stored of the declared targets in memory, where each submit and each attempt asks for it.

    `declared` returns the targets of the configuration, `on_look` is called after each look at what is stored. While
    Redis is away what was known last counts on: that is no lapse.
    """

    name = "target-rules"

    def __init__(
        self,
        broker: Broker,
        feed: EventFeed,
        declared: Callable[[], Sequence[Target]],
        on_look: Callable[["TargetRules"], None],
    ) -> None:
        self._broker = broker
        self._proofs = TargetProofs(broker)
        self._narrowings = TargetNarrowings(broker)
        self._feed = feed
        self._declared = declared
        self._on_look = on_look
        self._known = NOTHING_KNOWN
        self._narrowed: Mapping[str, Narrowing] = {}
        self._looking = Periodic(self.name, LOOK_SECONDS, self._look)
        self._work = TaskSet(self.name)

    @property
    def targets(self) -> list[Target]:
        """All declared targets, each as narrow as it is now."""
        return [self._narrowed.get(target.host, NOT_NARROWED).apply(target) for target in self._declared()]

    @property
    def closed(self) -> dict[str, str]:
        """Why those of the targets are closed that want a proof, by their host."""
        reasons = ((target.host, self._known.explain_closed(target)) for target in self._declared())
        return {host: reason for host, reason in reasons if reason is not None}

    def proofs(self) -> KnownProofs:
        """Return what is known of proofs now."""
        return self._known

    def reload(self) -> None:
        """Go by other declared targets from now on."""
        self._on_look(self)
        self._looking.wake()

    async def start(self) -> None:
        """Know every target before the first task."""
        async with self._broker.waited_out():
            await self._look()

    async def run(self) -> None:
        """Look for changes until cancelled: at every event that may mean one, and now and then besides."""
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

    async def _look(self) -> None:
        hosts = [target.host for target in self._declared()]
        self._known = await self._proofs.read(hosts)
        self._narrowed = await self._narrowings.read(hosts)
        self._on_look(self)
