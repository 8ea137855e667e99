"""Which server is the master, and whether that is sure, by what the Sentinels say."""

import pytest

from captchad.broker.sentinel.verdict import MasterReport, Verdict, judge

OLD, NEW = ("10.0.0.1", 6379), ("10.0.0.2", 6379)


def says(address: tuple[str, int], epoch: int, is_promoting: bool = False) -> MasterReport:
    return MasterReport(address, epoch, is_promoting)


def test_a_majority_that_agrees_is_certain() -> None:
    assert judge([says(OLD, 4)] * 3, 3) == Verdict(OLD, is_certain=True)
    assert judge([says(OLD, 4)] * 2, 3) == Verdict(OLD, is_certain=True)


def test_the_only_sentinel_of_one_is_certain() -> None:
    assert judge([says(OLD, 0)], 1) == Verdict(OLD, is_certain=True)


@pytest.mark.parametrize(("answering", "sentinels"), [(1, 3), (1, 2), (2, 4), (2, 5)])
def test_fewer_than_a_majority_are_never_certain_and_never_changing(answering: int, sentinels: int) -> None:
    reports = [says(OLD, 4, is_promoting=True)] * answering
    assert judge(reports, sentinels) == Verdict(OLD)


def test_one_sentinel_that_is_promoting_a_replica_makes_the_master_change() -> None:
    reports = [says(OLD, 4), says(OLD, 4), says(OLD, 4, is_promoting=True)]
    assert judge(reports, 3) == Verdict(OLD, is_changing=True)


def test_the_first_to_know_the_new_master_is_believed_and_not_enough() -> None:
    assert judge([says(OLD, 4), says(NEW, 5), says(OLD, 4)], 3) == Verdict(NEW, is_changing=True)


def test_a_majority_at_the_new_master_is_certain_whatever_the_others_were_at() -> None:
    reports = [says(OLD, 4, is_promoting=True), says(NEW, 5), says(NEW, 5)]
    assert judge(reports, 3) == Verdict(NEW, is_certain=True)


def test_the_next_failover_of_the_new_master_is_a_change_again() -> None:
    reports = [says(OLD, 4), says(NEW, 5, is_promoting=True), says(NEW, 5)]
    assert judge(reports, 3) == Verdict(NEW, is_changing=True)


def test_two_masters_of_one_epoch_are_not_certain() -> None:
    assert not judge([says(OLD, 4), says(NEW, 4)], 3).is_certain


def test_without_any_answer_nothing_is_known() -> None:
    assert judge([], 3) == Verdict()
