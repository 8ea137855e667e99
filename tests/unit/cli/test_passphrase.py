"""A passphrase's file that can't be one is told from a wrong passphrase, in one line."""

from pathlib import Path

import click
import pytest

from captchad.cli.passphrase import LONGEST_BYTES, ask_passphrase


def test_a_passphrase_is_the_files_text_without_the_end_of_its_line(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes("a passphrase öf ours\r\n".encode())
    assert ask_passphrase(file) == "a passphrase öf ours"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe\x00", "is no text: write the passphrase into it"),
        (b"", "is empty: write the passphrase into it"),
        (b"\n", "is empty: write the passphrase into it"),
        (b"a" * (LONGEST_BYTES + 1), "is too long for a passphrase"),
    ],
)
def test_a_file_that_holds_none_is_wrong_usage(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes(content)
    with pytest.raises(click.UsageError, match=reason) as caught:
        ask_passphrase(file)
    assert caught.value.message.startswith(str(file))
