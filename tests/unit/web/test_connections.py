"""Which connection makes room: decisions on names instead of sockets."""

import resource
from pathlib import Path

from captchad.web.connections import (
    CONNECTIONS_LIMIT,
    ConnectionLimits,
    ConnectionTable,
    find_connection_limits,
)


def nobody(_: str) -> bool:
    return False


def make_table(total: int, per_address: int, proxy: str = "") -> ConnectionTable[str]:
    return ConnectionTable(ConnectionLimits(total, per_address, lambda peer: peer == proxy))


def test_below_the_limits_nothing_is_closed() -> None:
    table = make_table(3, 2)
    assert [table.enter(name, peer) for name, peer in (("a", "10.0.0.1"), ("b", "10.0.0.1"), ("c", "10.0.0.2"))] == [
        None,
        None,
        None,
    ]
    table.leave("a")
    assert table.enter("d", "10.0.0.1") is None
    assert len(table) == 3


def test_the_connection_that_waited_longest_makes_room() -> None:
    table = make_table(2, 9)
    table.enter("a", "10.0.0.1")
    table.enter("b", "10.0.0.2")
    assert table.enter("c", "10.0.0.3") == "a"
    table.leave("a")
    table.note_served("b")
    table.note_waiting("b")
    assert table.enter("d", "10.0.0.4") == "c", "b was served in between, so it waits for less long"


def test_one_that_is_served_is_kept_and_the_new_one_refused_if_there_is_no_other() -> None:
    table = make_table(2, 9)
    for name in ("a", "b"):
        table.enter(name, "10.0.0.1")
        table.note_served(name)
    assert table.enter("c", "10.0.0.2") == "c"
    table.leave("c")
    table.note_waiting("b")
    assert table.enter("d", "10.0.0.2") == "b"


def test_an_address_makes_room_for_itself_and_a_trusted_proxy_need_not() -> None:
    table = make_table(9, 2, proxy="10.0.0.9")
    table.enter("other", "10.0.0.2")
    table.enter("a", "10.0.0.1")
    table.enter("b", "10.0.0.1")
    assert table.enter("c", "10.0.0.1") == "a"
    assert [table.enter(f"proxied {number}", "10.0.0.9") for number in range(4)] == [None] * 4


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    table = make_table(9, 1)
    table.enter("a", "2001:db8::1")
    assert table.enter("b", "2001:db8::2") == "a"


def test_what_has_left_is_forgotten_whatever_is_said_of_it() -> None:
    table = make_table(1, 1)
    table.enter("a", None)
    table.leave("a")
    table.note_served("a")
    table.note_waiting("a")
    table.leave("a")
    assert len(table) == 0
    assert table.enter("b", None) is None


def test_the_limits_follow_from_the_files_that_may_be_open() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = len(list(Path("/proc/self/fd").iterdir())) + 500
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, before[1]))
        limits = find_connection_limits(10, None, nobody)
        assert limits.total == allowed - 128 - 20
        assert limits.per_address == int(limits.total * 0.75)
        assert find_connection_limits(allowed, 7, nobody) == ConnectionLimits(allowed // 2, 7, nobody)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert find_connection_limits(1, None, nobody).total <= CONNECTIONS_LIMIT
