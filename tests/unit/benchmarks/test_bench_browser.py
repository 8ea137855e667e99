"""What the competition of browsers makes of its figures; nothing is started here."""

from pathlib import Path
from typing import Any

from tests.benchmarks.browser.contestants import CONTESTANTS, choose
from tests.benchmarks.browser.process_figures import MemoryFigures
from tests.benchmarks.browser.rounds import RoundFigures, summarise
from tests.benchmarks.browser.summary import AIMS, compare_alone, judge_aims, take_medians, take_ratios

MEMORY = MemoryFigures(processes=7, pss_bytes=300, rss_bytes=900)


def make_round(pages_per_second: float, failed: int = 0) -> dict[str, Any]:
    figures = RoundFigures(10, pages_per_second, 0.1, 300, 900, 7, 50.0, 1.0, failed, "broke" if failed else "")
    return figures.to_json()


def make_page(visit: int, text: str = "", error: str = "", milliseconds: float = 20.0) -> dict[str, object]:
    return {"at": 0.0, "visit": visit, "text": text, "error": error, "milliseconds": milliseconds}


def test_a_round_counts_what_was_done_and_what_of_it_is_right() -> None:
    pages = [make_page(4, "a"), make_page(5, "x"), make_page(6, error="crashed"), make_page(7, "b")]
    found = summarise(pages, seconds=2.0, cpu_seconds=0.6, memory=MEMORY, texts=("a", "b"))
    assert (found.pages, found.pages_per_second, found.cpu_seconds_per_page) == (3, 1.5, 0.2)
    assert (found.right_share, found.failed, found.first_failure) == (0.667, 1, "crashed")


def test_ratios_are_of_the_medians_over_all_rounds() -> None:
    medians = take_medians(
        {
            "naive_full_chromium": [make_round(1.0), make_round(2.0), make_round(9.0)],
            "engine_same_target": [make_round(20.0), make_round(5.0, failed=2), make_round(30.0)],
        }
    )
    assert medians["engine_same_target"]["rounds_pages_per_second"] == [20.0, 5.0, 30.0]
    assert (medians["engine_same_target"]["failed"], medians["engine_same_target"]["first_failure"]) == (2, "broke")
    assert take_ratios(medians) == {"naive_full_chromium": {"naive_full_chromium": 1.0, "engine_same_target": 10.0}}


def test_an_aim_is_met_missed_or_not_measured() -> None:
    ratios = {"naive_full_chromium": {"engine_same_target": 9.0, "engine_never": 4.9}}
    judged = {(one["contestant"], one["of"]): one["met"] for one in judge_aims(ratios)}
    assert judged["engine_same_target", "naive_full_chromium"] is True
    assert judged["engine_never", "naive_full_chromium"] is False
    assert judged["gateway_never", "naive_headless_shell"] is None


def test_the_whole_is_compared_with_the_engine_of_the_same_mode() -> None:
    found = compare_alone({"engine_never": [90.0, 100.0, 110.0], "gateway_never": [120.0], "engine_same_target": []})
    assert found["gateway_of_engine"] == {"never": {"multiple": 1.2, "wanted": 1.4, "met": True}}


def test_every_aim_is_of_somebody_who_takes_part() -> None:
    names = {one.name for one in CONTESTANTS}
    assert {aim.contestant for aim in AIMS} | {aim.baseline for aim in AIMS} <= names


def test_everybody_takes_part_or_is_named_with_the_reason(tmp_path: Path) -> None:
    chosen = choose([], str(tmp_path / "nothing"), "none", is_quick=False)
    assert chosen.commands.keys() | chosen.left_out.keys() == {one.name for one in CONTESTANTS}
    assert "can't be run" in chosen.left_out["crawlee_shared"]
    assert "always reads" in chosen.left_out["gateway_never"]
