"""`captchad labels` on a real label store: out of it as a folder, and back into it corrected."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from captchad.cli.label_commands import labels
from captchad.cli.main import run_command_line
from captchad.config.settings import RecognitionSection
from captchad.domain.label import LabelOrigin, Verdict
from captchad.operations.labels.label_store import LabelStore, open_label_store
from captchad.recognition.labelled import read_labelled_folder
from captchad.runtime.clock import Clock
from tests.unit.operations.labels.test_label_store import make_label

HOST = "127.0.0.1"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder, and a configuration with one declared target."""
    file = tmp_path / "distributed.json"
    file.write_text(json.dumps({"security": {"targets": [{"host": HOST, "allow_private_addresses": True}]}}))
    monkeypatch.setenv("DISTRIBUTED_CONFIG_PATH", str(file))
    monkeypatch.setenv("CAPTCHAD_STATE_DIRECTORY", str(tmp_path / "state"))
    return tmp_path / "state"


def open_store(state: Path) -> LabelStore:
    return open_label_store(state, RecognitionSection(), Clock())


def draw(folder: Path, name: str, shade: int = 0) -> bytes:
    Image.new("L", (40, 20), shade).save(folder / name)
    return (folder / name).read_bytes()


@pytest.fixture
def store(state: Path, tmp_path: Path) -> LabelStore:
    """A store with a label that was verified and one that was refused, of two targets."""
    now_ms = Clock().now_ms()
    store = open_store(state)
    for number, verdict in ((1, Verdict.RIGHT), (2, Verdict.WRONG)):
        picture = draw(tmp_path, "picture.png", number)
        store.add(make_label(number, now_ms + number, host=HOST, verdict=verdict), picture)
    store.add(make_label(3, now_ms, host="other.example.com"), draw(tmp_path, "picture.png", 3))
    return store


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(labels, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def read_json(*arguments: object) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_targets_and_labels_are_listed(store: LabelStore) -> None:
    assert [(one["host"], one["right"], one["wrong"]) for one in read_json("list")] == [
        (HOST, 1, 1),
        ("other.example.com", 1, 0),
    ]
    assert [one["text"] for one in read_json("list", HOST)] == ["ab2", "ab1"]
    assert len(read_json("list", HOST, "--limit", 1)) == 1
    assert len(read_json("list", "Other.Example.COM.")) == 1
    shown = run("list", HOST).stdout
    assert "verified" in shown
    assert make_label(2).label_id in shown


def test_a_host_that_is_no_target_and_an_id_that_is_no_label_are_refused(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"no labels of {HOST}" in run("list", HOST).stdout
    assert run("delete", HOST).stdout == "0 deleted\n"
    for command in ("list", "delete"):
        assert run_command_line(["labels", command, "nobody.example.com"]) == 1
        line = "there are no labels of nobody.example.com: nobody.example.com is not declared in security.targets"
        assert line in capsys.readouterr().err
    assert run_command_line(["labels", "delete", "--id", "nope"]) == 1
    assert "there is no label nope" in capsys.readouterr().err


def test_without_labels_the_list_says_where_they_come_from(state: Path) -> None:
    assert "recognition.collect_labels" in run("list").stdout


def test_an_export_is_a_folder_that_training_reads(store: LabelStore, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert read_json("export", HOST, "--out", out) == {"host": HOST, "folder": str(out), "right": 1, "refused": 1}
    [labelled] = read_labelled_folder(out)
    assert (labelled.text, labelled.file) == ("ab1", f"{make_label(1).label_id}.png")
    assert labelled.path.read_bytes() == store.read(HOST)[0].picture
    assert "ab2" in (out / "refused.tsv").read_text()


def test_an_export_overwrites_nothing(store: LabelStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    run("export", HOST, "--out", out)
    assert run_command_line(["labels", "export", HOST, "--out", str(out)]) == 1
    assert "is not empty" in capsys.readouterr().err


def test_what_was_corrected_comes_back_under_its_own_label(store: LabelStore, tmp_path: Path, state: Path) -> None:
    out = tmp_path / "out"
    run("export", HOST, "--out", out)
    assert read_json("import", HOST, out) == {"host": HOST, "added": 0, "corrected": 0, "known": 1, "dropped": 0}
    names = [make_label(number).label_id for number in (1, 2)]
    (out / "labels.tsv").write_text("".join(f"{name}.png\tCORRECT\n" for name in names))
    for corrected, known in ((2, 0), (0, 2)):
        answer = read_json("import", HOST, out)
        assert (answer["corrected"], answer["known"], answer["added"]) == (corrected, known, 0)
    found = store.read(HOST)
    assert [(one.label_id, one.text, one.verdict, one.origin) for one in found] == [
        (name, "CORRECT", Verdict.RIGHT, LabelOrigin.REVIEWED) for name in names
    ]
    assert "@" in found[0].who
    journal = [json.loads(line) for line in (state / "labels" / "journal.jsonl").read_text().splitlines()]
    assert [(one["act"], one["host"], one["labels"]) for one in journal] == [
        ("import", HOST, 0),
        ("import", HOST, 2),
        ("import", HOST, 0),
    ]


def test_pictures_from_elsewhere_become_labels_once(state: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for number in range(3):
        draw(folder, f"{number}.png", number)
    (folder / "labels.tsv").write_text("".join(f"{number}.png\ttext{number}\n" for number in range(3)))
    for added, known in ((3, 0), (0, 3)):
        answer = read_json("import", HOST, folder)
        assert (answer["added"], answer["known"]) == (added, known)
    found = open_store(state).read(HOST)
    assert [(one.text, one.origin, one.task_id) for one in found] == [
        (f"text{number}", LabelOrigin.IMPORTED, None) for number in range(3)
    ]


def test_a_picture_that_a_folder_has_twice_is_one_label(state: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        draw(folder, name)
    (folder / "labels.tsv").write_text("a.png\tabc\nb.png\tabc\nc.png\tABC\n")
    answer = read_json("import", HOST, folder)
    assert (answer["added"], answer["known"], answer["corrected"]) == (1, 1, 1)
    assert [one.text for one in open_store(state).read(HOST)] == ["ABC"]


def test_a_folder_with_a_fault_is_not_imported_at_all(state: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    draw(folder, "good.png")
    (folder / "bad.png").write_bytes(b"rubbish")
    (folder / "vector.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    (folder / "labels.tsv").write_text("good.png\tabc\nbad.png\tdef\nvector.svg\tghi\n")
    refused = CliRunner().invoke(labels, ["import", HOST, str(folder)])
    complaint = refused.stderr
    assert refused.exit_code == 1
    assert "bad.png: the bytes are not a PNG" in complaint
    assert "vector.svg: vector pictures" in complaint
    assert open_store(state).hosts() == ()


def test_labels_are_imported_for_declared_targets_alone(
    state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["labels", "import", "captcha.example.org", str(tmp_path)]) == 1
    assert "captcha.example.org is not declared" in capsys.readouterr().err


def test_labels_are_deleted_by_target_or_by_id(
    store: LabelStore, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read_json("delete", "--id", make_label(1).label_id, "--id", "unknown") == {"deleted": 1}
    assert [one.text for one in store.read(HOST)] == ["ab2"]
    assert "1 deleted" in run("delete", HOST).stdout
    assert store.hosts() == ("other.example.com",)
    assert len((state / "labels" / "journal.jsonl").read_text().splitlines()) == 2
    for arguments in ((), (HOST, "--id", "x")):
        assert run_command_line(["labels", "delete", *arguments]) == 2
        assert "give either a HOST or --id" in capsys.readouterr().err


def test_a_sheet_shows_what_nobody_knows_first_and_escapes_all(store: LabelStore, tmp_path: Path) -> None:
    out = tmp_path / "out<b>"
    run("export", HOST, "--out", out)
    (out / "labels.tsv").write_text(f'{make_label(1).label_id}.png\t"><script>\n')
    assert "2 pictures" in run("review", out).stdout
    sheet = (out / "review.html").read_text()
    assert sheet.index("refused:</b> ab2") < sheet.index("&quot;&gt;&lt;script&gt;")
    assert sheet.count("<script>") == 1
    assert "out<b>" not in sheet


def test_a_folder_without_labels_gives_no_sheet(tmp_path: Path) -> None:
    refused = CliRunner().invoke(labels, ["review", str(tmp_path)])
    assert refused.exit_code == 1
    assert "labels.tsv: can't be read" in refused.stderr
