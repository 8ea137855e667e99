"""docs/operations.md says what to do about every alert there is, and about none besides."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_alert_has_what_to_do_about_it() -> None:
    chapter = (ROOT / "docs/operations.md").read_text().partition("\n## Alerts\n")[2].partition("\n## ")[0]
    told = re.findall(r"^\| `(\w+)` \| \S", chapter, re.MULTILINE)
    alerts = re.findall(r"- alert: (\w+)", (ROOT / "config/alerts.yml").read_text())
    assert sorted(told) == sorted(alerts)
