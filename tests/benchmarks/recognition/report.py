"""The figures of one engine, and all engines' as JSON and as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.recognition.pictures import BEST_KNOWN
from tests.benchmarks.recognition.summary import FamilyScore, GroupScore, Sureness, score_group

COST_KEYS = (
    "load_seconds",
    "load_cpu_seconds",
    "cpu_ms_per_picture",
    "peak_mib",
    "peak_mib_over_bare_python",
    "peak_mib_of_children",
)


@dataclass(frozen=True, slots=True)
class EngineReport:
    """What one engine read right without hints and with them, what that cost, and what its confidence is worth."""

    name: str
    plain: Sequence[FamilyScore]
    hinted: Sequence[FamilyScore] | None
    costs: Mapping[str, float]
    sureness: Sureness | None


def pick(scores: Sequence[FamilyScore], held_out: frozenset[str], *, is_held_out: bool) -> list[FamilyScore]:
    """Take one group's families."""
    return [score for score in scores if (score.family in held_out) == is_held_out]


def _pick_best_known(scores: Sequence[FamilyScore]) -> list[FamilyScore]:
    return [score for score in scores if score.family in BEST_KNOWN]


def to_json(report: EngineReport, held_out: frozenset[str]) -> dict[str, Any]:
    """Return all figures of an engine."""
    return {
        "no_hints": _describe(report.plain, held_out),
        "hinted": None if report.hinted is None else _describe(report.hinted, held_out),
        "costs": {key: round(report.costs[key], 3) for key in COST_KEYS},
        "confidence": None if report.sureness is None else asdict(report.sureness),
    }


def _describe(scores: Sequence[FamilyScore], held_out: frozenset[str]) -> dict[str, Any]:
    groups = {
        name: score_group(pick(scores, held_out, is_held_out=is_held_out))
        for name, is_held_out in (("known", False), ("held_out", True))
    }
    groups["best_known"] = score_group(_pick_best_known(scores))
    families = {score.family: {"right": score.right, "pictures": score.pictures} for score in scores}
    return {name: None if group is None else asdict(group) for name, group in groups.items()} | {"families": families}


def print_tables(console: Console, reports: Sequence[EngineReport], held_out: frozenset[str]) -> None:
    """Print the families, the groups and the costs."""
    console.print(_tabulate_families(reports, held_out))
    console.print(_tabulate_groups(reports, held_out))
    for report in reports:
        if report.sureness is not None:
            console.print(_describe_sureness(report.name, report.sureness))


def _tabulate_families(reports: Sequence[EngineReport], held_out: frozenset[str]) -> Table:
    table = Table("family", title="Right without hints (* held out)")
    for report in reports:
        table.add_column(report.name, justify="right")
    for place, first in enumerate(reports[0].plain):
        shares = (f"{report.plain[place].right}/{report.plain[place].pictures}" for report in reports)
        table.add_row(first.family + (" *" if first.family in held_out else ""), *shares)
    return table


def _tabulate_groups(reports: Sequence[EngineReport], held_out: frozenset[str]) -> Table:
    table = Table("engine", "hints", title="Mean over families and the worst family; CPU and memory on one core")
    for heading in (
        "known: mean",
        "worst",
        "held out: mean",
        "worst",
        "best known: mean",
        "worst",
        "CPU ms",
        "peak MiB",
        "over Python",
        "of children",
        "load s",
    ):
        table.add_column(heading, justify="right")
    for report in reports:
        keys = ("cpu_ms_per_picture", "peak_mib", "peak_mib_over_bare_python", "peak_mib_of_children")
        costs = [f"{report.costs[key]:.1f}" for key in keys]
        costs.append(f"{report.costs['load_seconds']:.2f}")
        table.add_row(report.name, "none", *_name_groups(report.plain, held_out), *costs)
        if report.hinted is not None:
            table.add_row(report.name, "alphabet, length", *_name_groups(report.hinted, held_out))
    return table


def _name_groups(scores: Sequence[FamilyScore], held_out: frozenset[str]) -> list[str]:
    groups = [pick(scores, held_out, is_held_out=is_held_out) for is_held_out in (False, True)]
    return [cell for group in (*groups, _pick_best_known(scores)) for cell in _name_group(score_group(group))]


def _name_group(group: GroupScore | None) -> tuple[str, str]:
    if group is None:
        return "-", "-"
    return f"{group.mean_share:.1%}", f"{group.worst_share:.0%} {group.worst_family}"


def _describe_sureness(name: str, sureness: Sureness) -> str:
    text = (
        f"{name}: expected calibration error {sureness.reliability.expected_error:.3f}; at 0.9 and above "
        f"{sureness.sure_share:.1%} of the pictures, {sureness.sure_right} of {sureness.sure_pictures} right"
    )
    if sureness.empty_greatest is None:
        return text
    return (
        f"{text}; of {sureness.empty_pictures} pictures without text the greatest confidence is "
        f"{sureness.empty_greatest:.3f}, the 99th percentile {sureness.empty_99th_percentile:.3f}"
    )
