"""docs/security.md lists every reason that refusals are counted by, and none besides."""

import re
from pathlib import Path

from captchad.egress.scope import RefusalReason

CHAPTER = (Path(__file__).parents[3] / "docs" / "security.md").read_text(encoding="utf-8")


def test_reasons_are_all_that_is_listed() -> None:
    section = CHAPTER.split("## Refusals are counted")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [reason.value for reason in RefusalReason]
