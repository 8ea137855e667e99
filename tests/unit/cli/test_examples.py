"""`captchad config example` and `captchad config init`, as somebody at a shell uses them."""

import json
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from captchad.cli.main import root, run_command_line
from captchad.deployment.examples import EXAMPLES

Capture = pytest.CaptureFixture[str]
FOLDER = Path(__file__).parents[3] / "config"


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_printed_as_the_file_is(name: str, capsys: Capture) -> None:
    assert run_command_line(["config", "example", name]) == 0
    assert capsys.readouterr().out == (FOLDER / EXAMPLES[name].file).read_text(encoding="utf-8")


def test_without_a_name_all_are_listed(capsys: Capture) -> None:
    assert run_command_line(["config", "example"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(EXAMPLES)
    assert run_command_line(["config", "example", "--json"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == list(EXAMPLES)


def test_json_has_the_text_whole(capsys: Capture) -> None:
    assert run_command_line(["config", "example", "nginx", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["file"] == "nginx.conf.example"
    assert printed["text"] == (FOLDER / "nginx.conf.example").read_text()


def test_a_name_that_is_none_is_wrong_usage(capsys: Capture) -> None:
    assert run_command_line(["config", "example", "ngnix"]) == 2
    assert "'ngnix' is not one of 'distributed'" in capsys.readouterr().err


def test_names_are_completed() -> None:
    completion = ShellComplete(root, {}, "captchad", "_CAPTCHAD_COMPLETE")
    assert [item.value for item in completion.get_completions(["config", "example"], "red")] == ["redis", "redis-acl"]
    assert "init" in [item.value for item in completion.get_completions(["config"], "in")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISTRIBUTED_CONFIG_PATH", raising=False)
    return tmp_path


@pytest.mark.parametrize(("options", "environment"), [([], "dev"), (["--prod"], "prod")])
def test_the_first_configuration_is_found_and_good(
    folder: Path, capsys: Capture, options: list[str], environment: str
) -> None:
    assert run_command_line(["config", "init", *options]) == 0
    assert capsys.readouterr().out.startswith("config/distributed.json: written")
    written = folder / "config" / "distributed.json"
    assert "//" in written.read_text()
    # Redis and its units' user are others than who wrote it.
    assert written.stat().st_mode & 0o444 == 0o444
    assert run_command_line(["config", "check"]) == 0
    capsys.readouterr()
    assert run_command_line(["config", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["environment"] == environment


def test_a_file_that_is_there_is_kept_unless_forced(folder: Path, capsys: Capture) -> None:
    file = folder / "mine.json"
    file.write_text('{"environment": "dev"}')
    assert run_command_line(["config", "init", "mine.json"]) == 1
    assert capsys.readouterr().err == "captchad: mine.json is there already; --force replaces it\n"
    assert file.read_text() == '{"environment": "dev"}'
    assert run_command_line(["config", "init", "--prod", "--force", "mine.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"path": "mine.json", "environment": "prod"}
    assert file.read_text() == EXAMPLES["production"].read()
    assert [path.name for path in folder.iterdir()] == ["mine.json"]


def test_a_link_that_leads_nowhere_is_kept_too(folder: Path, capsys: Capture) -> None:
    (folder / "mine.json").symlink_to(folder / "elsewhere.json")
    assert run_command_line(["config", "init", "mine.json"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert not (folder / "elsewhere.json").exists()


def test_where_it_cant_be_written_one_line_says_why(folder: Path, capsys: Capture) -> None:
    (folder / "file").touch()
    assert run_command_line(["config", "init", "file/mine.json"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("captchad: file/mine.json ")
    assert error.count("\n") == 1


def test_the_group_names_both() -> None:
    group = root.get_command(click.Context(root), "config")
    assert isinstance(group, click.Group)
    assert {"example", "init"} <= group.commands.keys()
