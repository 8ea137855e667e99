from pathlib import Path

import pytest

from captchad.domain.errors import InvalidRequest, PictureRefused
from captchad.sample_site.drawing import Artist
from captchad.testing import read


def test_a_picture_is_read_from_its_bytes_or_its_file(tmp_path: Path) -> None:
    picture = Artist().draw("7kmp")
    (tmp_path / "a.png").write_bytes(picture)
    found = read(picture, charset="7kmp", min_length=4, max_length=4)
    assert found.text == "7kmp"
    assert read(str(tmp_path / "a.png"), charset="7kmp", min_length=4, max_length=4) == found
    assert read(tmp_path / "a.png", position="first:2").text == found.text[:2]


def test_what_is_no_picture_and_what_is_no_hint_is_said_so() -> None:
    with pytest.raises(PictureRefused):
        read(b"no picture")
    with pytest.raises(InvalidRequest, match="neither first:N nor last:N"):
        read(Artist().draw("7kmp"), position="middle:2")
