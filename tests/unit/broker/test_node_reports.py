"""A role's report as it is stored: read back whole, and by other releases as far as they know it."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from captchad.broker.node_reports import decode_report, encode_report
from captchad.domain.node import NodeReport, Role, SystemLoad
from captchad.domain.role_figures import BrowserFigures, RoleFigures, SchedulerFigures, WorkerFigures

BROWSER = BrowserFigures("140.0", 1, 2, 3, 4, 5, 6, 7, 8)
WORKER = WorkerFigures(slots=4, busy=1, tasks_done=9, tasks_failed=2, browser=BROWSER)


def make_report(role: Role, figures: RoleFigures | None) -> NodeReport:
    load = SystemLoad(1.0, 2.0, 3.0)
    return NodeReport("node-1", "ab", role, "alpha", 7, "127.0.0.1:8001", "1.0", True, load, figures)


def rewrite(report: NodeReport, **members: Any) -> bytes:
    """Return a report as another release might have written it."""
    return orjson.dumps(orjson.loads(encode_report(report)) | members)


@pytest.mark.parametrize(
    ("role", "figures"),
    [
        (Role.WORKER, WORKER),
        (Role.WORKER, WorkerFigures()),
        (Role.SCHEDULER, SchedulerFigures(is_active=False)),
        (Role.GATEWAY, None),
        (Role.MONITOR, None),
    ],
)
def test_a_report_is_read_back_as_it_was(role: Role, figures: RoleFigures | None) -> None:
    report = make_report(role, figures)
    assert decode_report(encode_report(report)) == report
    without_load = replace(report, load=None)
    assert decode_report(encode_report(without_load)) == without_load


def test_figures_lie_side_by_side_under_the_names_every_release_knows() -> None:
    assert orjson.loads(encode_report(make_report(Role.WORKER, WORKER)))["details"] == {
        "slots": 4,
        "busy": 1,
        "tasks_done": 9,
        "tasks_failed": 2,
        "browser_version": "140.0",
        "browsers": 1,
        "open_pages": 2,
        "pages_served": 3,
        "rss_bytes": 4,
        "recycled": 5,
        "crashes": 6,
        "waiting_tabs": 7,
        "reused_tabs": 8,
    }


def test_what_an_older_release_does_not_report_is_unknown() -> None:
    report = make_report(Role.WORKER, WORKER)
    older = decode_report(rewrite(report, details={"slots": 4, "browser_version": "140.0"}, load={"cpu_percent": 1.0}))
    known = WorkerFigures(slots=4, browser=BrowserFigures(browser_version="140.0"))
    assert older == replace(report, figures=known, load=None)


@pytest.mark.parametrize(("role", "figures"), [(Role.WORKER, WORKER), (Role.SCHEDULER, SchedulerFigures(True))])
def test_what_a_newer_release_adds_is_passed_over(role: Role, figures: RoleFigures) -> None:
    report = make_report(role, figures)
    members = orjson.loads(encode_report(report))
    newer = rewrite(
        report,
        details=members["details"] | {"energy_joules": 5, "browser": "a name of another meaning"},
        load=members["load"] | {"network_percent": 9.0},
        figures={"slots": 1},
        zone="b",
    )
    assert decode_report(newer) == report
