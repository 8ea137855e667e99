"""What `captchad learn` says of each outcome, to people and to programs."""

import os
from pathlib import Path

import pytest

from captchad.cli.learn import _represent, _word
from captchad.cli.main import run_command_line
from captchad.config.loader import load_configuration
from captchad.training.comparison import Comparison
from captchad.training.learner import Fate, Outcome
from captchad.training.learning import Learned
from captchad.training.recalibration import Refit

HOST = "site.example"
COMPARISON = Comparison(
    pictures=25,
    before=25,
    after=22,
    before_disturbed=0.475,
    after_disturbed=0.705,
    gained=14,
    lost=3,
    new_losses=3,
    refused=16,
    reread=15,
)
LEARNED = Learned(Path("model.onnx"), COMPARISON, Refit(1.0, 0.5, 0.3, 0.2))
DIGEST = "0123456789abcdef"


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome(HOST, Fate.TOO_FEW, 60), "site.example: 60 right labels, 40 more are needed"),
        (Outcome(HOST, Fate.NO_BETTER, 100, LEARNED), "the present model stays"),
        (Outcome(HOST, Fate.OVERTAKEN, 100, LEARNED), "was replaced meanwhile; run the command again"),
        (Outcome(HOST, Fate.INSTALLED, 100, LEARNED, DIGEST), "site.example: 01234567 is installed: of 25 held back"),
        (Outcome(HOST, Fate.INSTALLED, 100, LEARNED, DIGEST), "reads 14 better and 3 worse than the present model"),
        (Outcome(HOST, Fate.INSTALLED, 100, LEARNED, DIGEST), "disturbed 70% instead of 48%"),
    ],
)
def test_every_outcome_is_worded(outcome: Outcome, said: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert said in _word(outcome, load_configuration(str(tmp_path / "config.json"), os.environ))


def test_labels_that_are_kept_elsewhere_are_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"deployment_mode": "multi", "recognition": {"learner": "keeper-1"}}')
    loaded = load_configuration(str(tmp_path / "config.json"), os.environ)
    assert _word(Outcome(HOST, Fate.TOO_FEW, 0), loaded).endswith("; labels are kept by keeper-1")


def test_programs_are_given_every_figure() -> None:
    shown = _represent(Outcome(HOST, Fate.INSTALLED, 100, LEARNED, DIGEST))
    assert (shown["outcome"], shown["model"], shown["missing_labels"]) == ("installed", DIGEST, 0)
    assert shown["comparison"]["chance"] == pytest.approx(COMPARISON.chance)
    assert shown["refit"]["loss_after"] == 0.2
    assert _represent(Outcome(HOST, Fate.TOO_FEW, 60))["comparison"] is None


@pytest.mark.parametrize("arguments", [[], ["a.example", "--list"], ["--auto", "--list"], ["--rollback"]])
def test_one_thing_is_done_at_a_time(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["learn", *arguments]) == 2
    assert "give one of: HOST, HOST --rollback, --auto, --list" in capsys.readouterr().err
