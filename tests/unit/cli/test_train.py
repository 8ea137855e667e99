"""`captchad train` on real folders, from the packaged model."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from captchad.cli.main import run_command_line
from captchad.cli.train import train
from captchad.recognition.captchad_engine import load_captchad_engine
from tests.unit.training.plain_pictures import draw_many


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures whose letters stand for others, so that there is something to learn."""
    folder = tmp_path_factory.mktemp("my-site")
    lines = []
    for number, sample in enumerate(draw_many(40)):
        Image.fromarray(sample.picture).save(folder / f"{number}.png")
        lines.append(f"{number}.png\t{sample.text.lower()}")
    (folder / "labels.tsv").write_text("\n".join(lines), encoding="utf-8")
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(train, [str(argument) for argument in arguments])


def test_a_trained_model_is_written_named_and_trained_further(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.onnx"
    result = run(folder, "--out", out, "--passes", 5, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["model"] == str(out)
    assert figures["learned"] + figures["held_back"] == 40
    assert figures["after"]["character_errors"] < figures["before"]["character_errors"]
    engine = load_captchad_engine(out)
    assert engine.name.startswith("captchad-my-site")
    again = run(folder, "--from", out, "--out", tmp_path / "further.onnx", "--passes", 1)
    assert "texts right" in again.stdout


def test_pictures_that_are_none_and_too_few_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.png").write_bytes(b"rubbish")
    (tmp_path / "labels.tsv").write_text("a.png\tabc", encoding="utf-8")
    assert run_command_line(["train", str(tmp_path), "--out", str(tmp_path / "model.onnx")]) == 1
    assert "a.png: the bytes are not a PNG" in capsys.readouterr().err
    Image.new("L", (60, 20)).save(tmp_path / "a.png")
    assert run_command_line(["train", str(tmp_path), "--out", str(tmp_path / "model.onnx")]) == 1
    assert "too few to learn from" in capsys.readouterr().err
    assert not (tmp_path / "model.onnx").exists()


def test_a_text_that_no_model_could_read_is_named_with_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("L", (60, 20)).save(tmp_path / "a.png")
    (tmp_path / "labels.tsv").write_text("a.png\té24", encoding="utf-8")
    assert run_command_line(["train", str(tmp_path), "--out", str(tmp_path / "model.onnx")]) == 1
    assert "a.png: 'é24' holds 'é'" in capsys.readouterr().err


def test_a_start_that_is_no_model_and_a_missing_folder_are_named(folder: Path, tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.onnx"
    rubbish.write_bytes(b"rubbish")
    assert "no model of captchad" in run(folder, "--from", rubbish, "--out", tmp_path / "out.onnx").stderr
    assert "there is no folder" in run(folder, "--out", tmp_path / "nowhere" / "out.onnx").stderr
