from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.config.settings import Configuration, TargetSection
from captchad.config.validation import do_overlap, salvage

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab.[0]", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.[0]", max_size=4), inner, max_size=3),
    max_leaves=8,
)


def test_only_what_is_wrong_is_taken_out() -> None:
    tree = {
        "wroker": {},
        "worker": {"task_timeout": 0, "batch_size": 7},
        "redis": {"sentinel": {"master_name": "m"}, "master": {"port": 7000}},
        "recognition": {"models": {"a.example": 5, "b.example": "/model"}},
        "gateway": {"trusted_proxies": ["nonsense"], "queue_limit": 3},
    }
    found = salvage(Configuration, tree, ["gateway.trusted_proxies[0]"])
    expected = {
        "worker": {"batch_size": 7},
        "redis": {"master": {"port": 7000}},
        "recognition": {"models": {"b.example": "/model"}},
        "gateway": {"queue_limit": 3},
    }
    assert found == Configuration.model_validate(expected)
    assert "wroker" in tree


@pytest.mark.parametrize("value", [{}, {"host": 5}, [], None, "a"])
def test_without_what_is_required_nothing_is_left(value: object) -> None:
    assert salvage(TargetSection, value) is None


@pytest.mark.parametrize(
    ("path", "other", "expected"),
    [
        ("a.b", "a.b", True),
        ("a", "a.b", True),
        ("a.b[0].c", "a.b", True),
        ("a.b", "a.bc", False),
        ("a.b", "a.c", False),
        ("", "a", True),
    ],
)
def test_paths_overlap_where_one_leads_into_the_other(path: str, other: str, expected: bool) -> None:
    assert do_overlap(path, other) is do_overlap(other, path) is expected


@given(st.dictionaries(st.sampled_from([*Configuration.model_fields, "a.b"]), JSON), st.lists(st.text("ab.[0]")))
def test_something_is_always_left(tree: dict[str, Any], paths: list[str]) -> None:
    assert salvage(Configuration, tree, paths) is not None
