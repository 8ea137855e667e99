"""The scheduler looks for proofs, and what it finds opens and closes targets for everybody."""

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from captchad.broker.connection import Broker
from captchad.broker.housekeeping import LeaderLease
from captchad.broker.target_proofs import TargetProofs
from captchad.domain.proof import DAY_MS, Standing, TargetStanding
from captchad.domain.target import Target
from captchad.egress.dialer import CheckedDialer
from captchad.egress.http_get import HttpGetter
from captchad.egress.ownership_proof import ProofPolicy, ProofSeeker
from captchad.egress.txt_records import TxtRecords
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from captchad.scheduling.leadership import Leadership
from captchad.scheduling.ownership_checks import CLOSED_LOOK_MS, OwnershipChecks
from captchad.telemetry.metrics import Metrics
from tests.integration.egress.test_http_post import FixedResolver
from tests.integration.protocol import Partition
from tests.name_server import NameServer, serving_names
from tests.patience import until, until_true

HOST = "captcha.example.com"
RECORD = f"_captchad.{HOST}"
LOGGER = "captchad.scheduling.ownership_checks"


@pytest.fixture
def names() -> Iterator[NameServer]:
    with serving_names() as names:
        yield names


def make_dns_seeker(names: NameServer) -> ProofSeeker:
    """Return a seeker whose sites are all at a private address, where no file is fetched."""
    getter = HttpGetter(CheckedDialer(ProofPolicy(), FixedResolver(), Clock()), 60.0, 1000, "captchad/0")
    return ProofSeeker(TxtRecords([names.address], 60.0), getter)


@dataclass
class Checked:
    """A scheduler's checks, and what the fleet makes of them."""

    broker: Broker
    checks: OwnershipChecks
    targets: list[Target] = field(default_factory=lambda: [Target(HOST)])

    @property
    def proofs(self) -> TargetProofs:
        return TargetProofs(self.broker)

    async def standing(self, target: Target | None = None) -> TargetStanding:
        asked = target or self.targets[0]
        return (await self.proofs.read([asked.host])).find_standing(asked)

    async def token(self) -> str:
        return (await self.proofs.ensure_installation()).token

    async def wait_looked(self, host: str = HOST, after_ms: int = 0) -> None:
        async def has_looked() -> bool:
            record = (await self.proofs.read([host])).records.get(host)
            return record is not None and (record.checked_ms or 0) > after_ms

        await until(has_looked)

    async def age(self, by_ms: int) -> None:
        """Have all that is known of the target be older."""
        record = (await self.proofs.read([HOST])).records[HOST]
        proven_ms, lapsed_ms, checked_ms = (
            None if at_ms is None else at_ms - by_ms
            for at_ms in (record.proven_ms, record.lapsed_ms, record.checked_ms)
        )
        older = replace(record, proven_ms=proven_ms, lapsed_ms=lapsed_ms, checked_ms=checked_ms)
        await self.proofs.write(HOST, older, is_news=False)

    async def reload(self) -> None:
        now_ms = await self.broker.time_ms()
        self.checks.reload()
        await self.wait_looked(after_ms=now_ms - 1)


@pytest.fixture
async def checked(broker: Broker, names: NameServer) -> Checked:
    leadership = Leadership(LeaderLease(broker, "scheduler.1", 60.0), Clock(), Metrics("scheduler", "s", "0"))
    await leadership.start()
    seeker = make_dns_seeker(names)
    made: Checked

    def list_declared() -> Sequence[Target]:
        return made.targets

    made = Checked(broker, OwnershipChecks(TargetProofs(broker), seeker, leadership, list_declared))
    return made


@pytest.fixture
async def work() -> AsyncIterator[TaskSet]:
    started = TaskSet("test")
    yield started
    await started.cancel_all()


async def test_a_public_target_of_a_new_installation_opens_once_its_proof_is_found(
    checked: Checked, names: NameServer, work: TaskSet, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, LOGGER):
        work.spawn(checked.checks.run(), "checks")
        await checked.wait_looked()
        assert (await checked.standing()).standing is Standing.UNPROVEN
        token = await checked.token()
        assert f'publish the DNS record {RECORD} TXT "{token}"' in caplog.text
        names.texts[RECORD] = [token]
        await checked.reload()
    assert (await checked.standing()).standing is Standing.PROVEN
    assert f"{HOST} is proven: {RECORD} holds the token" in caplog.text


async def test_a_lapse_leaves_three_days_and_an_outage_is_none(
    checked: Checked, names: NameServer, work: TaskSet, caplog: pytest.LogCaptureFixture
) -> None:
    names.texts[RECORD] = [await checked.token()]
    work.spawn(checked.checks.run(), "checks")
    await checked.wait_looked()
    names.fails = True
    await checked.reload()
    assert (await checked.standing()).standing is Standing.PROVEN
    names.fails, names.texts = False, {}
    await checked.reload()
    lapsed = await checked.standing()
    assert lapsed.standing is Standing.GRACE
    assert f"{HOST} is closed on " in caplog.text
    await checked.age(3 * DAY_MS)
    assert (await checked.standing()).standing is Standing.UNPROVEN


async def test_it_looks_for_the_proof_of_a_closed_target_after_an_hour(
    checked: Checked, names: NameServer, work: TaskSet
) -> None:
    names.fails = True
    work.spawn(checked.checks.run(), "checks")
    await checked.wait_looked()
    assert (await checked.standing()).standing is Standing.UNPROVEN
    names.fails, names.texts[RECORD] = False, [await checked.token()]
    await checked.age(CLOSED_LOOK_MS)
    checked.checks._periodic.wake()

    async def is_proven() -> bool:
        return (await checked.standing()).standing is Standing.PROVEN

    await until(is_proven)


async def test_it_looks_again_after_a_day(checked: Checked, names: NameServer, work: TaskSet) -> None:
    names.texts[RECORD] = [await checked.token()]
    work.spawn(checked.checks.run(), "checks")
    await checked.wait_looked()
    asked = len(names.asked)
    checked.checks._periodic.wake()
    await checked.age(DAY_MS)
    checked.checks._periodic.wake()
    await until_true(lambda: len(names.asked) > asked)


async def test_what_stood_at_an_upgrade_has_fourteen_days_and_what_comes_later_none(
    checked: Checked, partition: Partition, work: TaskSet
) -> None:
    await partition.submit()
    before = await checked.standing()
    assert (before.standing, (before.until_ms or 0) - await checked.broker.time_ms() > 13 * DAY_MS) == (
        Standing.GRACE,
        True,
    )
    work.spawn(checked.checks.run(), "checks")
    await checked.wait_looked()
    assert (await checked.standing()) == before
    later = Target("later.example.com")
    checked.targets.append(later)
    checked.checks.reload()
    await checked.wait_looked(later.host)
    assert (await checked.standing(later)).standing is Standing.UNPROVEN
    assert (await checked.standing()) == before


async def test_private_targets_are_not_looked_for_and_a_waiver_is_said(
    checked: Checked, names: NameServer, work: TaskSet, caplog: pytest.LogCaptureFixture
) -> None:
    waived = Target("waived.example.com", proof="waived: the owner signed a letter")
    checked.targets += [Target("site.internal"), waived]
    work.spawn(checked.checks.run(), "checks")
    await checked.wait_looked()
    assert set(names.asked) == {RECORD}
    assert "waived.example.com is open without a proof of ownership, which is waived: the owner signed" in caplog.text
    assert (await checked.standing(waived)).standing is Standing.WAIVED
