"""Whether a target is open: decided from what is declared, what is stored and the time alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.errors import TargetNotAllowed
from captchad.domain.proof import (
    DAY_MS,
    LAPSE_GRACE_MS,
    LOOK_LASTS_MS,
    UPGRADE_GRACE_MS,
    Installation,
    KnownProofs,
    Look,
    ProofRecord,
    ProofWay,
    Standing,
    find_standing,
    note_look,
)
from captchad.domain.target import Target

PUBLIC = Target("captcha.example.com")
TOKEN = "captchad-0123456789abcdef"
NOW_MS = 1_800_000_000_000
NEW = Installation(TOKEN, NOW_MS)
UPGRADED = Installation(TOKEN, NOW_MS, stood=True)
LISTED = replace(UPGRADED, is_listed=True)
times = st.integers(0, NOW_MS + 100 * DAY_MS)
maybe_times = st.none() | times
records = st.none() | st.builds(
    ProofRecord, times, st.booleans(), maybe_times, st.none() | st.sampled_from(ProofWay), maybe_times, maybe_times
)
installations = st.none() | st.builds(Installation, st.just(TOKEN), times, st.booleans(), st.booleans())
looks = st.builds(Look, st.none() | st.sampled_from(ProofWay), st.frozensets(st.sampled_from(ProofWay)))


@pytest.mark.parametrize(
    "target",
    [
        Target("localhost"),
        Target("*.localhost"),
        Target("127.0.0.1"),
        Target("::1"),
        Target("10.1.2.3"),
        Target("fd00::7"),
        Target("intranet"),
        Target("captcha.test"),
        Target("*.captcha.internal"),
        Target("printer.local"),
        Target("nas.home.arpa"),
        Target("captcha.example"),
        Target("portal.example.com", allow_private_addresses=True),
    ],
)
@given(record=records, installation=installations, now_ms=times)
def test_what_can_be_nobody_elses_needs_no_proof(
    target: Target, record: ProofRecord | None, installation: Installation | None, now_ms: int
) -> None:
    assert find_standing(target, record, installation, now_ms).standing is Standing.PRIVATE


@pytest.mark.parametrize("host", ["captcha.example.com", "*.example.com", "93.184.216.34", "example.com", "mytest.com"])
@given(record=records, installation=installations, now_ms=times)
def test_a_public_target_is_open_only_by_a_proof_a_grace_or_a_waiver(
    host: str, record: ProofRecord | None, installation: Installation | None, now_ms: int
) -> None:
    target = Target(host)
    found = find_standing(target, record, installation, now_ms)
    has_stood = installation is not None and installation.stood and now_ms < installation.made_ms + UPGRADE_GRACE_MS
    is_watched = record is not None and now_ms < (record.checked_ms or 0) + LOOK_LASTS_MS
    lapsed_ms = record.lapsed_ms if record is not None and is_watched else None
    is_lapsing = lapsed_ms is not None and now_ms < lapsed_ms + LAPSE_GRACE_MS
    is_proven = record is not None and is_watched and record.proven_ms is not None and record.lapsed_ms is None
    assert found.is_open <= (is_proven or has_stood or is_lapsing)
    assert (found.standing is Standing.PROVEN) == is_proven
    assert (found.until_ms is not None and found.until_ms > now_ms) == (found.standing is Standing.GRACE)
    if host == "93.184.216.34":
        assert find_standing(replace(target, allow_private_addresses=True), record, installation, now_ms) == found
    waived = replace(target, proof="waived: the owner asked us to")
    assert find_standing(waived, record, installation, now_ms).standing is Standing.WAIVED


@pytest.mark.parametrize("proof", ["waived:", "waived:   ", "yes", ""])
def test_a_waiver_without_a_reason_waives_nothing(proof: str) -> None:
    assert find_standing(replace(PUBLIC, proof=proof), None, NEW, NOW_MS).standing is Standing.UNPROVEN


def test_what_stood_at_an_upgrade_has_fourteen_days() -> None:
    for installation, record in ((UPGRADED, None), (LISTED, ProofRecord(NOW_MS, stood=True))):
        last = find_standing(PUBLIC, record, installation, NOW_MS + UPGRADE_GRACE_MS - 1)
        assert (last.standing, last.until_ms) == (Standing.GRACE, NOW_MS + 14 * DAY_MS)
        assert not find_standing(PUBLIC, record, installation, NOW_MS + UPGRADE_GRACE_MS).is_open


def test_what_is_declared_later_has_no_grace() -> None:
    assert not find_standing(PUBLIC, None, LISTED, NOW_MS).is_open
    assert not find_standing(PUBLIC, ProofRecord(NOW_MS), LISTED, NOW_MS).is_open
    assert not find_standing(PUBLIC, None, NEW, NOW_MS).is_open


PROVEN = note_look(ProofRecord(NOW_MS), Look(ProofWay.DNS), NOW_MS)


def test_a_proof_that_is_gone_closes_its_target_after_three_days() -> None:
    lapsed = note_look(PROVEN, Look(None, frozenset({ProofWay.DNS})), NOW_MS)
    again = note_look(lapsed, Look(None, frozenset({ProofWay.DNS})), NOW_MS + DAY_MS)
    assert find_standing(PUBLIC, again, NEW, NOW_MS + DAY_MS).until_ms == NOW_MS + 3 * DAY_MS
    assert not find_standing(PUBLIC, again, NEW, NOW_MS + 3 * DAY_MS).is_open
    back = note_look(again, Look(ProofWay.HTTPS), NOW_MS + 4 * DAY_MS)
    assert find_standing(PUBLIC, back, NEW, NOW_MS + 4 * DAY_MS).standing is Standing.PROVEN


@pytest.mark.parametrize("answered", [frozenset[ProofWay](), frozenset({ProofWay.HTTPS})])
def test_a_proof_lapses_only_by_an_answer_where_it_stood(answered: frozenset[ProofWay]) -> None:
    looked = PROVEN
    for day in range(1, 91):
        looked = note_look(looked, Look(None, answered), NOW_MS + day * DAY_MS)
    assert find_standing(PUBLIC, looked, NEW, NOW_MS + 90 * DAY_MS).standing is Standing.PROVEN


@pytest.mark.parametrize("answered", [frozenset[ProofWay](), frozenset(ProofWay)])
def test_a_target_that_comes_back_after_nobody_looked_for_long_begins_unproven(answered: frozenset[ProofWay]) -> None:
    back_ms = NOW_MS + LOOK_LASTS_MS
    assert find_standing(PUBLIC, PROVEN, NEW, back_ms - 1).standing is Standing.PROVEN
    assert find_standing(PUBLIC, PROVEN, NEW, back_ms).standing is Standing.UNPROVEN
    looked = note_look(PROVEN, Look(None, answered), back_ms)
    assert find_standing(PUBLIC, looked, NEW, back_ms).standing is Standing.UNPROVEN
    proven = note_look(looked, Look(ProofWay.DNS), back_ms + DAY_MS)
    assert find_standing(PUBLIC, proven, NEW, back_ms + DAY_MS).standing is Standing.PROVEN


def test_a_waiver_of_a_private_target_is_seen_since_it_opens_public_addresses() -> None:
    waived = Target("portal.example.com", allow_private_addresses=True, proof="waived: has both kinds")
    assert find_standing(waived, None, NEW, NOW_MS).standing is Standing.WAIVED


@given(begin=times, found=st.lists(looks, max_size=8))
def test_only_a_proof_that_was_found_ever_counts(begin: int, found: list[Look]) -> None:
    record = ProofRecord(begin)
    for day, look in enumerate(found, 1):
        record = note_look(record, look, begin + day * DAY_MS)
    is_open = find_standing(PUBLIC, record, NEW, begin + len(found) * DAY_MS).is_open
    assert not is_open or any(look.way is not None for look in found)
    if found and found[-1].way is not None:
        assert is_open


def test_the_refusal_says_what_to_publish_where() -> None:
    known = KnownProofs(NEW, {}, NOW_MS)
    with pytest.raises(TargetNotAllowed) as refused:
        known.check(Target("*.example.com"))
    assert f'_captchad.example.com TXT "{TOKEN}"' in refused.value.message
    assert f"https://example.com/.well-known/captchad.txt with the line {TOKEN}" in refused.value.message
    assert "captchad targets prove *.example.com" in refused.value.message
    with pytest.raises(TargetNotAllowed) as refused:
        known.check(Target("93.184.216.34"))
    assert "TXT" not in refused.value.message
    known.check(Target("localhost"))
