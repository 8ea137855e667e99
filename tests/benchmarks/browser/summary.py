"""From the figures of all rounds to medians, ratios and what was aimed at; nothing here measures."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MEDIAN_FIGURES = (
    "pages_per_second",
    "cpu_seconds_per_page",
    "pss_bytes",
    "rss_bytes",
    "processes",
    "page_milliseconds",
    "right_share",
)
BASELINES = ("naive_full_chromium", "naive_headless_shell")
RATIO_DECIMALS = 2


@dataclass(frozen=True, slots=True)
class Aim:
    """A ratio of pages a second that is wanted: at least `wanted` times the baseline's."""

    contestant: str
    baseline: str
    wanted: float


AIMS = (
    Aim("engine_same_target", "naive_full_chromium", 9.0),
    Aim("engine_same_target", "naive_headless_shell", 2.4),
    Aim("engine_never", "naive_full_chromium", 5.0),
    Aim("engine_never", "naive_headless_shell", 1.5),
    Aim("gateway_same_target", "naive_full_chromium", 8.0),
    Aim("gateway_same_target", "naive_headless_shell", 2.1),
    Aim("gateway_never", "naive_full_chromium", 4.5),
    Aim("gateway_never", "naive_headless_shell", 1.3),
)
ALONE_LIMIT = 1.4
"""How many times the bare engine's time a whole task may take on an idle system."""

Rounds = Mapping[str, Sequence[Mapping[str, Any]]]


def take_medians(rounds: Rounds) -> dict[str, dict[str, Any]]:
    """Return each contestant's medians, its rounds' speeds and all failures."""
    medians: dict[str, dict[str, Any]] = {}
    for name, found in rounds.items():
        figures = {figure: round(statistics.median(one[figure] for one in found), 4) for figure in MEDIAN_FIGURES}
        speeds = [one["pages_per_second"] for one in found]
        failure = next((one["first_failure"] for one in found if one["failed"]), "")
        failed = sum(one["failed"] for one in found)
        counted = sum(one["pages"] for one in found)
        medians[name] = figures | {
            "rounds_pages_per_second": speeds,
            "pages": counted,
            "failed": failed,
            "first_failure": failure,
        }
    return medians


def take_ratios(medians: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return how many times each baseline's median speed every contestant has; a missing baseline is left out."""
    return {
        baseline: {
            name: round(found["pages_per_second"] / medians[baseline]["pages_per_second"], RATIO_DECIMALS)
            for name, found in medians.items()
        }
        for baseline in BASELINES
        if baseline in medians and medians[baseline]["pages_per_second"]
    }


def judge_aims(ratios: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """Say of each aim what was found; `met` is null where one of the two did not take part."""
    judged = []
    for aim in AIMS:
        found = ratios.get(aim.baseline, {}).get(aim.contestant)
        met = None if found is None else found >= aim.wanted
        judged.append(
            {"contestant": aim.contestant, "of": aim.baseline, "wanted": aim.wanted, "found": found, "met": met}
        )
    return judged


def compare_alone(alone_milliseconds: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Return the median time of a page that comes alone, and the whole of captchad's as a multiple of the engine's."""
    medians = {name: round(statistics.median(found), 1) for name, found in alone_milliseconds.items() if found}
    multiples = {}
    for mode in ("same_target", "never"):
        engine, gateway = medians.get(f"engine_{mode}"), medians.get(f"gateway_{mode}")
        if engine and gateway:
            multiple = round(gateway / engine, RATIO_DECIMALS)
            multiples[mode] = {"multiple": multiple, "wanted": ALONE_LIMIT, "met": multiple <= ALONE_LIMIT}
    return {"median_milliseconds": medians, "gateway_of_engine": multiples}
