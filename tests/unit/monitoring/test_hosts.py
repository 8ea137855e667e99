"""Hosts: one figure each, from the freshest report, and their mean."""

from captchad.domain.node import NodeState, Role, SystemLoad
from captchad.monitoring.hosts import list_host_loads, mean_load
from tests.unit.monitoring.fleets import make_node


def test_the_freshest_report_of_a_host_counts() -> None:
    nodes = [
        make_node(Role.GATEWAY, load=SystemLoad(10, 10, 10), age_seconds=9),
        make_node(Role.WORKER, load=SystemLoad(50, 60, 70), age_seconds=1),
    ]
    (host,) = list_host_loads(nodes)
    assert host.load == SystemLoad(50, 60, 70)
    assert host.roles == (Role.GATEWAY, Role.WORKER)


def test_lost_nodes_and_hosts_without_figures_are_left_out() -> None:
    nodes = [
        make_node(Role.WORKER, host="gone", state=NodeState.LOST),
        make_node(Role.WORKER, host="silent", load=None),
        make_node(Role.WORKER, host="here"),
    ]
    assert [host.host for host in list_host_loads(nodes)] == ["here"]


def test_the_mean_counts_each_host_once() -> None:
    nodes = [
        make_node(Role.GATEWAY, host="a", load=SystemLoad(10, 20, 30)),
        make_node(Role.WORKER, host="a", load=SystemLoad(10, 20, 30)),
        make_node(Role.WORKER, host="b", load=SystemLoad(30, 40, 50)),
    ]
    assert mean_load(list_host_loads(nodes)) == SystemLoad(20.0, 30.0, 40.0)
    assert mean_load(()) == SystemLoad(0.0, 0.0, 0.0)
