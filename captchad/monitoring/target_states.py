"""How the declared targets stand at one moment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from captchad.broker.target_closures import TargetClosures
from captchad.broker.target_proofs import TargetProofs
from captchad.domain.proof import TargetStanding
from captchad.domain.target import Target


@dataclass(frozen=True, slots=True)
class TargetStates:
    """By declared host: since when (ms since 1970) no form is filled there, and how its ownership is shown."""

    fill_closed_ms: Mapping[str, int] = field(default_factory=dict)
    standings: Mapping[str, TargetStanding] = field(default_factory=dict)


class TargetStateReader:
    """Reads them; `declared` returns the targets of the configuration."""

    def __init__(
        self, closures: TargetClosures, proofs: TargetProofs, declared: Callable[[], Sequence[Target]]
    ) -> None:
        self._closures = closures
        self._proofs = proofs
        self._declared = declared

    async def read(self) -> TargetStates:
        """Return the states now; BrokerUnavailable where Redis does not answer."""
        declared = self._declared()
        hosts = [target.host for target in declared]
        known = await self._proofs.read(hosts)
        return TargetStates(
            await self._closures.read_fill_closed(hosts),
            {target.host: known.find_standing(target) for target in declared},
        )
