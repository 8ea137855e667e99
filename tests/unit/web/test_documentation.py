"""The page that tries the API, and the bodies it begins with."""

import re
from typing import Any

import pytest

from captchad.web.api.documentation import assemble_page, make_page_policy
from captchad.web.api.examples import EXAMPLES
from captchad.web.api.schema import BatchBody, TaskBody
from captchad.web.api.validation import read_batch, read_task

PAGE = assemble_page()


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    assert "--accent:" in PAGE
    assert "showDocument(" in PAGE
    assert "<style></style>" not in PAGE
    assert "<script></script>" not in PAGE
    assert re.findall(r'<(?:link|script|img)[^>]+(?:src|href)="(?!data:,)[^"]*"', PAGE) == []


def test_no_address_depends_on_where_a_proxy_shows_the_page() -> None:
    assert re.findall(r"""(?:src|href)="/[^"]*"|fetch\(["'`]/""", PAGE) == []


def test_no_text_can_become_markup() -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|createContextualFragment"
        r"|\son\w+=",
        PAGE,
    )


def test_every_element_the_script_looks_up_exists() -> None:
    assert set(re.findall(r'byId\("([^"]+)"\)', PAGE)) <= set(re.findall(r'\bid="([^"]+)"', PAGE))


def test_the_policy_lets_the_pages_own_script_run_and_nothing_else() -> None:
    policy = make_page_policy(PAGE)
    assert "default-src 'none'; script-src 'sha256-" in policy
    assert policy.count("'sha256-") == 2
    assert "unsafe" not in policy


@pytest.mark.parametrize(("name", "body"), EXAMPLES[TaskBody].items())
def test_every_example_of_a_task_is_accepted(name: str, body: dict[str, Any]) -> None:
    assert read_task(body) is not None


@pytest.mark.parametrize(("name", "body"), EXAMPLES[BatchBody].items())
def test_every_example_of_a_batch_is_accepted(name: str, body: dict[str, Any]) -> None:
    assert len(read_batch(body)) == 2
