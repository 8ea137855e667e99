"""What one process knows of Redis, and when that changes."""

from redis.exceptions import ResponseError

from captchad.broker.availability import READING, Availability, Operation
from captchad.broker.failures import FULL_MEMORY, Failure, FailureKind, classify

WRITING = Operation("writing", is_write=True)
SILENT = Failure(FailureKind.SILENT, "Redis does not answer: reset")
READONLY = Failure(FailureKind.REFUSED, "Redis takes no writes: it is a replica", "READONLY")
LOADING = Failure(FailureKind.REFUSED, "Redis is not ready: it is loading", "LOADING")
FORBIDDEN = Failure(FailureKind.FORBIDDEN, "Redis refuses a right: xadd", "NOPERM")


def connected() -> Availability:
    availability = Availability()
    availability.recover(READING)
    return availability


def test_it_is_not_there_before_the_first_answer() -> None:
    assert Availability().obstacle == "not connected to Redis yet"
    assert connected().obstacle == ""


def test_a_read_ends_silence_but_no_refusal_of_writes() -> None:
    availability = connected()
    assert availability.notice(SILENT, READING)
    assert availability.recover(READING)
    assert availability.notice(READONLY, WRITING)
    assert not availability.recover(READING)
    assert availability.obstacle == READONLY.message
    assert availability.recover(WRITING)
    assert availability.obstacle == ""
    assert availability.notice(LOADING, WRITING)
    assert availability.recover(READING)


def test_one_trouble_is_news_once_and_one_outage_however_it_changes() -> None:
    availability = connected()
    said = [availability.notice(failure, WRITING) for failure in (SILENT, SILENT, LOADING, LOADING, READONLY, READONLY)]
    assert said == [True, False, True, False, True, False]
    assert availability.outages == 1


def test_a_start_without_redis_is_no_outage() -> None:
    availability = Availability()
    assert availability.notice(SILENT, READING)
    assert availability.recover(READING)
    assert availability.outages == 0


def test_a_full_memory_is_no_obstacle_and_ends_where_there_is_room() -> None:
    availability = connected()
    assert availability.notice(FULL_MEMORY, WRITING)
    assert not availability.notice(FULL_MEMORY, WRITING)
    assert not availability.recover(WRITING)
    assert (availability.obstacle, availability.fullness) == ("", FULL_MEMORY.message)
    assert availability.make_room()
    assert not availability.make_room()
    assert availability.fullness == ""


def test_a_right_that_many_operations_need_is_said_once_and_is_back_for_all() -> None:
    availability = connected()
    submit, take = Operation("submit", is_write=True), Operation("take", is_write=True)
    assert [availability.notice(FORBIDDEN, one) for one in (submit, take, submit)] == [True, False, False]
    other = Failure(FailureKind.FORBIDDEN, "another right", "NOPERM")
    assert availability.notice(other, Operation("lead", is_write=True))
    assert availability.recover(take)
    assert availability.obstacle == other.message


def test_a_missing_right_is_an_obstacle_until_that_very_operation_succeeds() -> None:
    availability = connected()
    submit, take = Operation("submit", is_write=True), Operation("take", is_write=True)
    assert availability.notice(FORBIDDEN, submit)
    assert not availability.notice(FORBIDDEN, submit)
    assert not availability.recover(take)
    assert availability.obstacle == FORBIDDEN.message
    assert availability.recover(submit)
    assert availability.obstacle == ""


def test_what_began_before_a_failure_and_succeeds_after_it_is_no_sign_that_redis_is_back() -> None:
    availability = connected()
    began = availability.noticed
    assert availability.notice(READONLY, WRITING)
    assert not availability.recover(WRITING, began)
    assert availability.obstacle == READONLY.message
    assert availability.recover(WRITING, availability.noticed)


def test_a_demotion_is_no_news_where_a_script_meets_it_after_a_blocking_read() -> None:
    unblocked, refused = (
        classify(ResponseError(f"{code} and so on")) or FULL_MEMORY for code in ("UNBLOCKED", "READONLY")
    )
    availability = connected()
    assert availability.notice(unblocked, READING)
    assert not availability.notice(refused, WRITING)
    assert availability.notice(LOADING, WRITING)
