"""What Redis holds of targets, and what commands change there; apart, since a list of targets needs no Redis driver."""

from captchad import __version__
from captchad.broker.target_narrowings import TargetNarrowings
from captchad.broker.target_proofs import TargetProofs
from captchad.cli.broker_connection import open_broker, run_connected
from captchad.config.loader import LoadedConfiguration
from captchad.config.redis_choice import choose_redis_or_local
from captchad.domain.narrowing import Narrowing
from captchad.domain.proof import Installation, KnownProofs, ProofRecord, TargetStanding, note_look
from captchad.domain.target import Target
from captchad.egress.ownership_proof import make_seeker
from captchad.operations.audited import audited
from captchad.operations.narrowing import limit_target, pause_target, reset_target, resume_target
from captchad.runtime.clock import Clock

LOOK_LIMIT_SECONDS = 1.0
"""A list waits no longer for what it can do without."""

Proved = tuple[Installation, ProofRecord, TargetStanding]


def read_rules(loaded: LoadedConfiguration, hosts: list[str]) -> tuple[KnownProofs, dict[str, Narrowing]]:
    """Return what is known of targets' proofs, and what is narrowed; BrokerUnavailable where Redis does not answer."""
    return run_connected(_read(loaded, hosts))


async def _read(loaded: LoadedConfiguration, hosts: list[str]) -> tuple[KnownProofs, dict[str, Narrowing]]:
    async with open_broker(loaded, LOOK_LIMIT_SECONDS) as broker:
        return await TargetProofs(broker).read(hosts), await TargetNarrowings(broker).read(hosts)


def prove(loaded: LoadedConfiguration, target: Target) -> Proved:
    """Look for a target's proof now, and have the fleet go by it."""
    return run_connected(_prove(loaded, target))


async def _prove(loaded: LoadedConfiguration, target: Target) -> Proved:
    configuration = loaded.configuration
    protected = choose_redis_or_local(configuration.redis).hosts
    seeker = make_seeker(configuration.security.proof.nameservers, protected, Clock(), __version__)
    async with open_broker(loaded) as broker, audited(broker, configuration, "targets_prove", host=target.host) as act:
        proofs = TargetProofs(broker)
        known = await proofs.read([target.host])
        installation = known.installation or await proofs.ensure_installation()
        record = known.records.get(target.host) or known.begin_record()
        looked = note_look(record, await seeker.look(target, installation.token), known.now_ms)
        await proofs.write(target.host, looked, is_news=True)
        standing = (await proofs.read([target.host])).find_standing(target)
        act.object["standing"] = str(standing.standing)
        return installation, looked, standing


def limit(loaded: LoadedConfiguration, target: Target, wanted: Narrowing, *, is_reset: bool) -> Narrowing:
    """Narrow a target's limits, or with `is_reset` have the declared ones count first."""
    return run_connected(_limit(loaded, target, wanted, is_reset=is_reset))


async def _limit(loaded: LoadedConfiguration, target: Target, wanted: Narrowing, *, is_reset: bool) -> Narrowing:
    names = ("expires", "max_per_minute", "max_concurrent")
    given = {name: str(getattr(wanted, name)) for name in names if getattr(wanted, name) is not None}
    configuration = loaded.configuration
    async with (
        open_broker(loaded) as broker,
        audited(broker, configuration, "targets_limit", host=target.host, reset=is_reset, **given),
    ):
        found = await reset_target(broker, target) if is_reset else None
        return found if found is not None and not given else await limit_target(broker, target, wanted)


def pause(loaded: LoadedConfiguration, target: Target) -> None:
    """Begin nothing more of a target."""
    run_connected(_pause(loaded, target))


async def _pause(loaded: LoadedConfiguration, target: Target) -> None:
    async with open_broker(loaded) as broker, audited(broker, loaded.configuration, "pause", host=target.host):
        await pause_target(broker, target)


def resume(loaded: LoadedConfiguration, target: Target) -> int:
    """Begin a target's tasks again; return how many waited."""
    return run_connected(_resume(loaded, target))


async def _resume(loaded: LoadedConfiguration, target: Target) -> int:
    async with open_broker(loaded) as broker, audited(broker, loaded.configuration, "resume", host=target.host):
        return await resume_target(broker, target)
