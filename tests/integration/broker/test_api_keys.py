"""Keys over time: expiry, rotation and last use, by the clock of Redis; and a day's quota."""

import asyncio

import pytest

from captchad.broker.api_keys import ApiKeys
from captchad.broker.connection import Broker
from captchad.broker.key_quotas import KeyQuotas
from captchad.broker.redis_keys import api_key, key_quota
from captchad.domain.api_key import ApiKey, KeyLimits, Scope
from captchad.domain.errors import CaptchadError, Unauthorized

SUBMIT = frozenset({Scope.SUBMIT})
DAY_SECONDS = 86_400


async def end(broker: Broker, key: ApiKey, field: str) -> None:
    """Put a moment of a key into the past."""
    await broker.client.hset(api_key(key.key_id), field, await broker.time_ms())


async def test_what_was_created_is_what_is_read(broker: Broker) -> None:
    keys = ApiKeys(broker)
    limits = KeyLimits(60, 5, 5000)
    text, key = await keys.create("robot", SUBMIT, ("a.example",), limits, 90 * DAY_SECONDS)
    assert key.expires_ms == key.created_ms + 90 * DAY_SECONDS * 1000
    assert await keys.authenticate(text) == key
    assert await keys.list_all() == (key,)


async def test_an_expired_key_says_so_to_its_holder_alone(broker: Broker) -> None:
    keys = ApiKeys(broker)
    text, key = await keys.create("robot", SUBMIT, (), expires_in_seconds=DAY_SECONDS)
    await end(broker, key, "expires_ms")
    with pytest.raises(Unauthorized, match=r"expired on .*captchad keys rotate") as refusal:
        await keys.authenticate(text)
    assert refusal.value.key_id == key.key_id
    assert await keys.authenticate(f"ck_{key.key_id}_{'0' * 64}") is None


async def test_after_a_rotation_both_texts_are_valid_for_a_while(broker: Broker) -> None:
    keys = ApiKeys(broker)
    former, key = await keys.create("robot", SUBMIT, (), KeyLimits(daily_quota=5))
    text, rotated = await keys.rotate("robot", DAY_SECONDS)
    assert text != former
    assert (rotated.key_id, rotated.limits, rotated.scopes) == (key.key_id, key.limits, key.scopes)
    assert await keys.authenticate(former) == await keys.authenticate(text) == rotated
    await end(broker, key, "previous_until_ms")
    with pytest.raises(Unauthorized, match="replaced by a newer one"):
        await keys.authenticate(former)
    assert await keys.authenticate(text) is not None
    newest, _ = await keys.rotate(key.key_id, 0)
    with pytest.raises(Unauthorized):
        await keys.authenticate(text)
    assert await keys.authenticate(former) is None
    assert await keys.authenticate(newest) is not None


async def test_an_expired_key_is_rotated_with_another_expiry_only(broker: Broker) -> None:
    keys = ApiKeys(broker)
    _, key = await keys.create("robot", SUBMIT, (), expires_in_seconds=DAY_SECONDS)
    await end(broker, key, "expires_ms")
    with pytest.raises(CaptchadError, match="give it another --expires"):
        await keys.rotate("robot", 0)
    text, rotated = await keys.rotate("robot", 0, DAY_SECONDS)
    assert await keys.authenticate(text) == rotated


async def test_a_revoked_key_is_not_rotated(broker: Broker) -> None:
    keys = ApiKeys(broker)
    text, key = await keys.create("robot", SUBMIT, ())
    await keys.revoke("robot")
    with pytest.raises(CaptchadError, match="no key named"):
        await keys.rotate(key.key_id, 60)
    with pytest.raises(Unauthorized, match="was revoked"):
        await keys.authenticate(text)


async def test_the_last_use_is_known_and_costs_no_write_for_each_request(broker: Broker) -> None:
    keys = ApiKeys(broker)
    text, key = await keys.create("robot", SUBMIT, ())
    before_ms = await broker.time_ms()
    await keys.authenticate(text)
    used_ms = (await keys.list_all())[0].last_used_ms
    assert used_ms is not None
    assert used_ms >= before_ms
    changes = (await broker.client.info("persistence"))["rdb_changes_since_last_save"]
    for _ in range(20):
        await keys.authenticate(text)
    assert (await broker.client.info("persistence"))["rdb_changes_since_last_save"] == changes
    # A minute later, also where another process has seen it last.
    await broker.client.hset(api_key(key.key_id), "last_used_ms", before_ms - 60_000)
    await ApiKeys(broker).authenticate(text)
    assert ((await keys.list_all())[0].last_used_ms or 0) >= before_ms


async def test_the_last_use_of_a_deleted_key_makes_no_key(broker: Broker) -> None:
    await broker.run_fleet_script("key_use", [api_key("1")], [1])
    assert not await broker.client.exists(api_key("1"))


async def test_a_quota_is_exact_whoever_counts(broker: Broker) -> None:
    quotas = [KeyQuotas(broker) for _ in range(2)]
    answers = await asyncio.gather(*(quotas[index % 2].take("1", 3, 100) for index in range(60)))
    assert sum(answer.is_allowed for answer in answers) == 33
    refused = next(answer for answer in answers if not answer.is_allowed)
    assert refused.remaining == 1
    assert 0 < refused.reset_seconds <= DAY_SECONDS
    await quotas[0].give_back("1", 3, answers[0])
    assert await quotas[1].read_used("1") == 96
    assert (await quotas[1].take("1", 4, 100)).is_allowed


async def test_a_quota_begins_anew_each_day(broker: Broker) -> None:
    quotas = KeyQuotas(broker)
    taken = await quotas.take("1", 5, 5)
    assert 0 < await broker.client.pttl(key_quota("1")) <= DAY_SECONDS * 1000
    await broker.client.hset(key_quota("1"), "day", int(taken.day) - 1)
    answer = await quotas.take("1", 1, 5)
    assert (answer.is_allowed, answer.remaining) == (True, 4)
    # What was counted yesterday is not given back today.
    await quotas.give_back("1", 1, type(taken)(True, 0, 0.0, str(int(taken.day) - 1)))
    assert await quotas.read_used("1") == 1
