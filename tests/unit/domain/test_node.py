"""Which nodes stand for roles that there are."""

from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.node import Node, NodeReport, NodeState, Role, leave_out_replaced


def make(
    name: str,
    state: NodeState,
    age_seconds: float = 0.0,
    incarnation: str = "a",
    address: str = "127.0.0.1:8001",
    host: str = "host-a",
    role: Role = Role.WORKER,
) -> Node:
    return Node(NodeReport(name, incarnation, role, host, 1, address, "1.0", False), state, age_seconds)


def test_a_role_that_was_started_again_under_its_name_is_one() -> None:
    now = make("w1", NodeState.UP, 0.5, "c", "127.0.0.1:8002")
    earlier = [make("w1", NodeState.LOST, 9.0, "a"), make("w1", NodeState.LOST, 7.0, "b")]
    assert leave_out_replaced([*earlier, now]) == [now]


def test_a_role_that_listens_where_a_lost_one_did_replaces_it() -> None:
    now = make("worker-host-2", NodeState.UP)
    assert leave_out_replaced([make("worker-host-1", NodeState.LOST, 9.0), now]) == [now]
    elsewhere = make("worker-host-1", NodeState.LOST, 9.0, host="host-b")
    assert leave_out_replaced([elsewhere, now]) == [now, elsewhere]


def test_of_several_lost_ones_of_a_name_the_last_seen_stands_for_all() -> None:
    lost = [make("w1", NodeState.LOST, age, str(age)) for age in (9.0, 7.0, 8.0)]
    assert leave_out_replaced(lost) == [lost[1]]


def test_a_name_of_another_role_replaces_nothing() -> None:
    nodes = [make("n", NodeState.LOST, 9.0), make("n", NodeState.UP, role=Role.MONITOR, address="127.0.0.1:9090")]
    assert len(leave_out_replaced(nodes)) == 2


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(list(NodeState)), st.floats(0, 600), st.sampled_from("12")),
        max_size=8,
    )
)
def test_no_living_node_and_no_name_is_ever_left_out_without_one_in_its_place(
    members: list[tuple[str, NodeState, float, str]],
) -> None:
    nodes = [
        make(name, state, age, str(number), f"127.0.0.1:800{port}")
        for number, (name, state, age, port) in enumerate(members)
    ]
    left = leave_out_replaced(nodes)
    living = [node for node in nodes if node.state is not NodeState.LOST]
    assert [node for node in living if node not in left] == []
    kept_names = {node.report.name for node in left}
    living_addresses = {node.report.address for node in living}
    for node in nodes:
        assert node.report.name in kept_names or node.report.address in living_addresses
