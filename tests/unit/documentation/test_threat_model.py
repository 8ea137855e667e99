"""docs/threat-model.md names, for each threat, files and tests that exist; responsible-use.md and its twin agree."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MODEL = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
REFERENCE = re.compile(r"`((?:captchad|config|scripts|systemd|tests)/[^`:\s]+)(?:::(\w+))?`")
TWINS = [(ROOT / "docs" / f"responsible-use{ending}").read_text(encoding="utf-8") for ending in (".md", ".zh.md")]
THREATS = [line for line in MODEL.splitlines() if line.startswith("| ") and line.count("|") == 5 and "::" in line]


@pytest.mark.parametrize(("file", "test"), sorted(set(REFERENCE.findall(MODEL))))
def test_what_is_named_is_there(file: str, test: str) -> None:
    assert (ROOT / file).is_file()
    assert re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE) or not test


def test_every_threat_has_what_stops_it_and_a_test() -> None:
    sections = MODEL.split("\n## ")
    rows = [row for section in sections if "| threat |" in section for row in section.split("|---|---|---|---|\n")[1:]]
    written = [line for row in rows for line in row.splitlines() if line.startswith("|")]
    assert written == THREATS
    for line in written:
        _, threat, stop, file, test, _ = line.split("|")
        assert threat.strip()
        assert stop.strip()
        assert REFERENCE.fullmatch(file.strip()), line
        assert REFERENCE.fullmatch(test.strip()), line


def test_both_languages_refuse_the_same() -> None:
    english, chinese = (set(re.findall(r"`[^`]+`", text)) - {'`proof: "waived: REASON"`'} for text in TWINS)
    assert {one for one in chinese if "waived" not in one} == english
    assert len({text.count("\n## ") for text in TWINS}) == 1
