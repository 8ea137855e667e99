"""Models of single targets: loaded, replaced and forgotten while pictures are read."""

import json
import logging
import os
from pathlib import Path

import onnx
import pytest

from captchad.domain.errors import AttemptFailed, DependencyMissing
from captchad.domain.recognition import Hints
from captchad.recognition.captchad_engine import load_captchad_engine
from captchad.recognition.model import DESCRIPTION_KEY, find_packaged_model
from captchad.recognition.model_shelf import ModelShelf
from captchad.recognition.service import RecognitionService
from captchad.runtime.spawn import TaskGroupKeeper
from tests.unit.recognition.test_service import WidthReader, draw


def write_model(path: Path, name: str, changed_ns: int = 1) -> None:
    """Write a copy of the packaged model that goes by another name."""
    model = onnx.load(str(find_packaged_model()))
    (entry,) = model.metadata_props
    assert entry.key == DESCRIPTION_KEY
    entry.value = json.dumps({**json.loads(entry.value), "name": name})
    onnx.save(model, str(path))
    os.utime(path, ns=(changed_ns, changed_ns))


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, str]:
    write_model(tmp_path / "one.onnx", "one")
    return {"one.example": str(tmp_path / "one.onnx")}


def make_shelf(paths: dict[str, str]) -> ModelShelf:
    return ModelShelf(lambda: paths, load_captchad_engine)


def test_a_model_is_loaded_once_and_anew_when_its_file_changed(paths: dict[str, str]) -> None:
    shelf = make_shelf(paths)
    path = paths["one.example"]
    first = shelf.find(path)
    assert first.name.startswith("captchad-one")
    assert shelf.find(path) is first
    write_model(Path(path), "later", changed_ns=2)
    assert shelf.find(path).name.startswith("captchad-later")


def test_a_replacement_that_is_no_model_is_told_once_and_the_old_one_reads_on(
    paths: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    shelf = make_shelf(paths)
    path = paths["one.example"]
    first = shelf.find(path)
    Path(path).write_bytes(b"rubbish")
    with caplog.at_level(logging.ERROR):
        assert [shelf.find(path), shelf.find(path)] == [first, first]
    assert len(caplog.records) == 1
    Path(path).unlink()
    assert shelf.find(path) is first


def test_models_that_are_configured_no_more_are_let_go(paths: dict[str, str], tmp_path: Path) -> None:
    shelf = make_shelf(paths)
    shelf.load_all()
    assert len(shelf.names()) == 1
    write_model(tmp_path / "two.onnx", "two")
    del paths["one.example"]
    paths["two.example"] = str(tmp_path / "two.onnx")
    shelf.load_all()
    assert [name.split("-")[1] for name in shelf.names()] == ["two"]


def test_a_missing_file_is_named_with_its_setting() -> None:
    with pytest.raises(DependencyMissing, match=r"recognition\.models\.a\.example: .*/nowhere/a\.onnx"):
        make_shelf({"a.example": "/nowhere/a.onnx"}).load_all()


async def test_each_target_is_read_with_its_own_model(paths: dict[str, str]) -> None:
    service = RecognitionService(WidthReader, 4, make_shelf(paths))
    keeper = TaskGroupKeeper("test")
    await service.start()
    keeper.spawn(service.run(), "run")
    try:
        picture = draw(60)
        usual = await service.recognise(picture, Hints(), "other.example")
        assert usual.text == "60"
        paths["late.example"] = "/nowhere/late.onnx"
        with pytest.raises(AttemptFailed, match="model is not there"):
            await service.recognise(picture, Hints(), "late.example")
        assert any("captchad-one" in name for name in service.health().details["models"])
    finally:
        await keeper.cancel_all()
        await service.close()
