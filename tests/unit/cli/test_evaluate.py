"""`captchad evaluate` on a real folder with the real engines."""

import json
import random
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from captchad.cli.evaluate import evaluate
from captchad.cli.main import run_command_line
from captchad.recognition.engines import DEFAULT_ENGINE
from captchad.recognition.model import find_packaged_model
from tests.benchmarks.captcha_families import CLEAR_UPPER, draw_wheezy_text

PICTURES = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six pictures labelled in lower case, one of them below, and one that is none."""
    folder = tmp_path_factory.mktemp("labelled")
    (folder / "below").mkdir()
    source = random.Random(11)
    lines = []
    for number in range(PICTURES):
        text = "".join(source.choices(CLEAR_UPPER, k=4))
        file = f"below/{number}.jpg" if number == 0 else f"{number}.jpg"
        (folder / file).write_bytes(draw_wheezy_text(source, text))
        lines.append(f"{file}\t{text.lower()}")
    (folder / "<b>.png").write_bytes(b"rubbish")
    (folder / "labels.tsv").write_text("\n".join([*lines, "<b>.png\tx"]), encoding="utf-8")
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(evaluate, [str(argument) for argument in arguments])


def test_the_figures_come_as_tables_and_pictures_that_are_none_on_stderr(folder: Path) -> None:
    result = run(folder)
    assert result.exit_code == 0
    for figure in ("texts right", "characters right but for case", "expected calibration error", "CPU milliseconds"):
        assert figure in result.stdout
    assert "confidence at least" in result.stdout
    assert result.stderr.startswith("captchad: <b>.png: the bytes are not a PNG")


@pytest.mark.parametrize(("options", "first"), [((), "texts right "), (("--ignore-case",), "texts right but for case")])
def test_the_figure_that_was_asked_for_leads(folder: Path, options: tuple[str, ...], first: str) -> None:
    right = [line for line in run(folder, *options).stdout.splitlines() if line.startswith("texts right")]
    assert len(right) == 2
    assert right[0].startswith(first)


def test_json_has_all_figures_and_every_picture(folder: Path) -> None:
    hints = ("--charset", CLEAR_UPPER, "--min-length", 4, "--max-length", 4, "--kind", "text")
    found = json.loads(run(folder, "--json", *hints).stdout)
    assert (found["pictures"], found["refused"], found["is_case_ignored"]) == (PICTURES + 1, 1, False)
    assert found["case_ignored"]["texts"]["right"] >= PICTURES / 2
    assert found["case_ignored"]["texts"]["low"] <= found["case_ignored"]["texts"]["share"]
    assert found["cpu"]["median_ms"] > 0
    assert {"threshold", "covered", "right"} == set(found["coverage"][0])
    assert {"truth", "read", "count"} == set(found["confusions"][0])
    assert 0 <= found["reliability"]["expected_error"] <= 1
    assert [outcome["file"] for outcome in found["outcomes"]] == [
        line.split("\t")[0] for line in (folder / "labels.tsv").read_text().splitlines()
    ]


def test_ignoring_case_is_told_to_the_engine_and_to_the_figures(folder: Path) -> None:
    found = json.loads(run(folder, "--json", "--ignore-case").stdout)
    assert found["is_case_ignored"]
    assert found["coverage"][0]["right"]["right"] == found["case_ignored"]["texts"]["right"]


def test_the_report_is_one_file_with_the_worst_in_it(folder: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    assert run(folder, "--engine", "tesseract", "--report", report).exit_code == 0
    page = report.read_text(encoding="utf-8")
    assert "<svg" in page
    assert 'src="data:image/jpeg;base64,' in page
    assert "&lt;b&gt;.png" in page
    assert "<b>" not in page
    assert "tesseract-" in page


def test_wrong_labels_are_all_named_and_nothing_is_measured(tmp_path: Path) -> None:
    (tmp_path / "labels.tsv").write_text("gone.png\tx\n\nno tab\n../up.png\tx\n")
    result = run(tmp_path)
    assert (result.exit_code, result.stdout) == (1, "")
    lines = result.stderr.splitlines()
    assert [line.split(":")[:3] for line in lines] == [["captchad", " labels.tsv", n] for n in ("1", "3", "4")]


def test_a_folder_without_labels_says_so(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert (result.exit_code, result.stderr) == (
        1,
        "captchad: labels.tsv: can't be read: no such file or directory\n",
    )


@pytest.mark.parametrize(
    "options",
    [
        ("--engine", "nobody"),
        ("--engine", "tesseract+nobody"),
        ("--min-length", 5, "--max-length", 4),
        ("--charset", " "),
        ("--report", "/no/such/folder/report.html"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_read(folder: Path, options: tuple[object, ...]) -> None:
    result = run(folder, *options)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_folder_that_is_not_there_is_wrong_usage() -> None:
    assert run("/no/such/folder").exit_code == 2


def test_an_engine_whose_program_is_missing_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert run_command_line(["evaluate", str(folder), "--engine", "tesseract"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert "apt-get install tesseract-ocr" in output.err
    assert output.err.count("\n") == 1


def test_the_help_names_the_engine_that_is_taken_otherwise() -> None:
    assert f"[default: {DEFAULT_ENGINE}]" in CliRunner().invoke(evaluate, ["--help"]).stdout


def test_a_model_is_measured_by_its_file(folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "my.onnx"
    shutil.copyfile(find_packaged_model(), model)
    found = json.loads(run(folder, "--json", "--model", model).stdout)
    assert found["recogniser"].startswith("captchad-")


def test_a_file_that_is_no_model_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["evaluate", str(folder), "--model", str(folder / "labels.tsv")]) == 1
    assert "labels.tsv can't be loaded as a model of captchad" in capsys.readouterr().err


def test_a_model_and_an_engine_exclude_each_other(folder: Path) -> None:
    result = run(folder, "--model", find_packaged_model(), "--engine", "tesseract")
    assert result.exit_code == 2
    assert "leave out --engine" in result.stderr
