"""Whose labels are collected, and who keeps them."""

import pytest

from captchad.config.settings import Configuration


@pytest.mark.parametrize(
    ("of_all", "own", "collected"),
    [(False, None, False), (True, None, True), (False, True, True), (True, False, False)],
)
def test_what_a_target_says_of_its_labels_wins(of_all: bool, own: bool | None, collected: bool) -> None:
    configuration = Configuration.model_validate(
        {
            "recognition": {"collect_labels": of_all},
            "security": {"targets": [{"host": "localhost"} | ({} if own is None else {"collect_labels": own})]},
        }
    )
    [target] = configuration.security.declared_targets()
    assert configuration.recognition.collects(target) is collected


def test_the_learner_is_a_host_or_a_process_and_else_the_only_host() -> None:
    named = Configuration.model_validate({"recognition": {"learner": "alpha"}})
    assert named.keeps_labels("alpha", "scheduler-1")
    assert named.keeps_labels("beta", "alpha")
    assert not named.keeps_labels("beta", "scheduler-1")
    assert Configuration().keeps_labels("beta", "scheduler-1")
    assert not Configuration.model_validate({"deployment_mode": "multi"}).keeps_labels("beta", "scheduler-1")
