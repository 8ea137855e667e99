"""Learned models in a state folder: whole, checked, remembered and tidied up."""

import stat
from pathlib import Path

import pytest

from captchad.domain.errors import DependencyMissing
from captchad.domain.learned_model import PACKAGED, ModelChoice, find_digest
from captchad.recognition.model_shelf import ModelShelf
from tests.unit.recognition.test_model_registry import write_model


@pytest.fixture
def shelf(tmp_path: Path) -> ModelShelf:
    return ModelShelf(tmp_path / "models")


@pytest.fixture
def file(tmp_path: Path) -> bytes:
    write_model(tmp_path / "model.onnx", "one")
    return (tmp_path / "model.onnx").read_bytes()


def test_a_model_that_reads_is_kept_for_its_owner_alone(shelf: ModelShelf, file: bytes) -> None:
    path = shelf.put(find_digest(file), file)
    assert path.read_bytes() == file
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    shelf.check(find_digest(file))


def test_what_is_not_what_its_hash_says_or_no_model_is_not_kept(shelf: ModelShelf, file: bytes) -> None:
    with pytest.raises(DependencyMissing, match="hash"):
        shelf.put(find_digest(b"other"), file)
    with pytest.raises(DependencyMissing, match="can't be loaded"):
        shelf.put(find_digest(b"no model"), b"no model")
    assert not shelf.path(find_digest(b"no model")).exists()


def test_a_damaged_file_is_noticed_and_put_in_order(shelf: ModelShelf, file: bytes) -> None:
    digest = find_digest(file)
    shelf.put(digest, file).write_bytes(file[:-1])
    with pytest.raises(DependencyMissing, match="damaged"):
        shelf.check(digest)
    shelf.put(digest, file)
    shelf.check(digest)


@pytest.mark.parametrize("host", ["one.example", "*.example.com", "[::1]", "..", "x" * 253])
def test_the_last_choice_of_any_target_is_remembered(shelf: ModelShelf, host: str) -> None:
    assert shelf.recall(host) is None
    choice = ModelChoice("a" * 64, PACKAGED, "2026-01-01T00:00:00.000Z")
    shelf.remember(host, choice)
    assert shelf.recall(host) == choice


def test_only_present_and_former_models_are_left(shelf: ModelShelf, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    for letter in "abcd":
        shelf.path(letter * 64).write_bytes(b"")
    shelf.remember("one", ModelChoice("a" * 64, "b" * 64, ""))
    shelf.tidy({"two": ModelChoice("c" * 64, None, "")})
    assert sorted(path.stem[0] for path in (tmp_path / "models").glob("*.onnx")) == ["a", "b", "c"]
