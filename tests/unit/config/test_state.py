from pathlib import Path

import pytest

from captchad.config.state import resolve_state_directory

ALL = {"CAPTCHAD_STATE_DIRECTORY": "/a", "STATE_DIRECTORY": "/b:/c", "XDG_STATE_HOME": "/d", "HOME": "/e"}


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        (0, "/a"),
        (1, "/b"),
        (2, "/d/captchad"),
        (3, "/e/.local/state/captchad"),
    ],
)
def test_the_state_folder_is_the_first_that_is_named(left_out: int, expected: str) -> None:
    assert resolve_state_directory(dict(list(ALL.items())[left_out:])) == Path(expected)


def test_an_empty_variable_names_no_folder() -> None:
    assert resolve_state_directory({**ALL, "CAPTCHAD_STATE_DIRECTORY": ""}) == Path("/b")
