"""docs/model.md is a model card by the usual headings, and its table has every generator there is."""

import re
from pathlib import Path

from tests.benchmarks.recognition.pictures import list_generators

CARD = (Path(__file__).parents[3] / "docs" / "model.md").read_text()
HEADINGS = [
    "Model details",
    "Intended use",
    "Factors",
    "Metrics",
    "Evaluation data",
    "Training data",
    "Quantitative analyses",
    "Ethical considerations",
    "Caveats and recommendations",
]


def test_the_card_has_the_headings_of_a_model_card_in_their_order() -> None:
    assert re.findall(r"^## (.+)$", CARD, re.MULTILINE) == HEADINGS


def test_the_table_has_every_generator() -> None:
    table = CARD.partition("| generator |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| (\S+) \|", table, re.MULTILINE)) - {"---"} == set(list_generators())
