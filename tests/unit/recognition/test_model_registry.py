"""Models of single targets: loaded, replaced and forgotten while pictures are read."""

import asyncio
import io
import json
import logging
import os
from pathlib import Path

import onnx
import pytest
from PIL import Image

from captchad.domain.errors import AttemptFailed, DependencyMissing
from captchad.domain.recognition import Hints
from captchad.recognition.captchad_engine import load_captchad_engine
from captchad.recognition.model import DESCRIPTION_KEY, find_packaged_model
from captchad.recognition.model_registry import ModelRegistry
from captchad.recognition.recognition_engine import RecognitionEngine
from captchad.recognition.service import RecognitionService
from captchad.runtime.spawn import TaskSet
from tests.unit.recognition.test_service import WidthReader
from tests.unit.training.plain_pictures import draw_plainly


def write_model(path: Path, name: str, changed_ns: int = 1, **more: object) -> None:
    """Write a copy of the packaged model that goes by another name."""
    model = onnx.load(str(find_packaged_model()))
    (entry,) = model.metadata_props
    assert entry.key == DESCRIPTION_KEY
    entry.value = json.dumps({**json.loads(entry.value), "name": name, **more})
    onnx.save(model, str(path))
    os.utime(path, ns=(changed_ns, changed_ns))


TARGET = "one.example"


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, str]:
    write_model(tmp_path / "one.onnx", "one")
    return {TARGET: str(tmp_path / "one.onnx")}


def make_registry(paths: dict[str, str]) -> ModelRegistry:
    return ModelRegistry(lambda: paths, load_captchad_engine)


def name_of(engine: RecognitionEngine | None) -> str:
    assert engine is not None
    return engine.name.split("-")[1]


def test_a_model_is_loaded_once_and_anew_when_its_file_changed(paths: dict[str, str]) -> None:
    registry = make_registry(paths)
    first = registry.find(TARGET)
    assert name_of(first) == "one"
    assert registry.find(TARGET) is first
    write_model(Path(paths[TARGET]), "later", changed_ns=2)
    assert name_of(registry.find(TARGET)) == "later"


def test_targets_with_the_same_file_share_its_model(paths: dict[str, str]) -> None:
    paths["two.example"] = paths[TARGET]
    registry = make_registry(paths)
    assert registry.find(TARGET) is registry.find("two.example")


def test_a_replacement_that_is_no_model_is_told_once_and_the_old_one_reads_on(
    paths: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    registry = make_registry(paths)
    first = registry.find(TARGET)
    Path(paths[TARGET]).write_bytes(b"rubbish")
    with caplog.at_level(logging.ERROR):
        assert [registry.find(TARGET), registry.find(TARGET)] == [first, first]
        assert len(caplog.records) == 1
        paths[TARGET] = "/nowhere/one.onnx"
        assert [registry.find(TARGET), registry.find(TARGET)] == [first, first]
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["recognition.models.one.example"] * 2


def test_models_that_are_configured_no_more_are_let_go(paths: dict[str, str], tmp_path: Path) -> None:
    registry = make_registry(paths)
    registry.load_all()
    assert len(registry.names()) == 1
    write_model(tmp_path / "two.onnx", "two")
    del paths[TARGET]
    paths["two.example"] = str(tmp_path / "two.onnx")
    registry.load_all()
    assert [name.split("-")[1] for name in registry.names()] == ["two"]
    assert registry.find(TARGET) is None


def test_a_file_that_is_missing_or_spoilt_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(DependencyMissing, match=r"recognition\.models\.a\.example: .*/nowhere/a\.onnx"):
        make_registry({"a.example": "/nowhere/a.onnx"}).load_all()
    write_model(tmp_path / "spoilt.onnx", "spoilt", calibration={"text": 3})
    with pytest.raises(DependencyMissing, match=r"recognition\.models\.b\.example: .*calibration that can't be read"):
        make_registry({"b.example": str(tmp_path / "spoilt.onnx")}).load_all()


async def test_each_target_is_read_with_its_own_model(paths: dict[str, str]) -> None:
    service = RecognitionService(WidthReader, 4, make_registry(paths))
    work = TaskSet("test")
    await service.start()
    work.spawn(service.run(), "run")
    buffer = io.BytesIO()
    Image.fromarray(draw_plainly("7KM4").picture).save(buffer, "PNG")
    try:
        usual, own = await asyncio.gather(
            service.recognise(buffer.getvalue(), Hints(), "other.example"),
            service.recognise(buffer.getvalue(), Hints(), TARGET),
        )
        assert usual.recogniser == WidthReader.name
        assert own.text == "7KM4"
        assert own.recogniser.startswith("captchad-one")
        paths["late.example"] = "/nowhere/late.onnx"
        with pytest.raises(AttemptFailed, match=r"recognition\.models\.late\.example"):
            await service.recognise(buffer.getvalue(), Hints(), "late.example")
        again = await service.recognise(buffer.getvalue(), Hints(), TARGET)
        assert service.health().details["models"] == [again.recogniser]
    finally:
        await work.cancel_all()
        await service.close()
