"""The table of pages: its options are what the HTTP API takes, and the documentation has the same list."""

import re
from pathlib import Path

import pytest

from captchad.sample_site.kinds import KINDS, PageKind
from captchad.web.api.validation import read_task

DOCUMENTS = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_options_are_a_task_of_the_api(kind: PageKind) -> None:
    draft = read_task({"url": "http://127.0.0.1:8090/", **kind.options})
    assert draft.fill is not None
    assert draft.fill.success is not None


def test_the_documentation_lists_the_same_pages() -> None:
    text = (DOCUMENTS / "docs/sessions-and-forms.md").read_text(encoding="utf-8")
    listed = re.findall(
        r"^\| `([a-z-]+)` \| ([^|]+) \| [^|]*\|$", text.partition("## A session that comes")[0], re.MULTILINE
    )
    assert listed == [(kind.name, kind.title) for kind in KINDS]


@pytest.mark.parametrize(
    "document", ["README.md", "docs/README.zh-CN.md", "docs/cli.md", "docs/sessions-and-forms.md", "docs/finding.md"]
)
def test_the_documentation_names_as_many_tasks_as_there_are_pages(document: str) -> None:
    text = (DOCUMENTS / document).read_text(encoding="utf-8")
    assert set(re.findall(r"--tasks ([0-9]+)", text)) == {str(len(KINDS))}
