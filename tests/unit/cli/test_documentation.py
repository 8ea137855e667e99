import re
from collections.abc import Iterator
from pathlib import Path

import click

from captchad.cli.browser_node import browser_node
from captchad.cli.commands import COMMANDS
from captchad.cli.main import root

DOCUMENT = (Path(__file__).parents[3] / "docs/cli.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (captchad[a-z -]*)\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL))
HELP = frozenset({"--help", "-h"})


def walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from walk(inner, f"{path} {name}")


def walk_all() -> Iterator[tuple[str, click.Command]]:
    yield from walk(root, "captchad")
    yield from walk(browser_node, "captchad-browser")


def test_every_command_is_documented_and_nothing_else() -> None:
    assert SECTIONS.keys() == {path for path, _ in walk_all()}


def test_every_option_is_documented_and_nothing_else() -> None:
    for path, command in walk_all():
        rows = "\n".join(line.split("|")[1] for line in SECTIONS[path].splitlines() if line.startswith("| `-"))
        documented = set(re.findall(r"--[a-z-]+", rows))
        options = {
            text
            for parameter in command.params
            if isinstance(parameter, click.Option)
            for text in (*parameter.opts, *parameter.secondary_opts)
            if text.startswith("--")
        }
        assert documented == options - HELP, path


def test_every_command_has_its_line_in_the_table_of_the_help() -> None:
    context = click.Context(root, info_name="captchad")
    for name, entry in COMMANDS.items():
        assert entry.help.endswith(".")
        command = root.get_command(context, name)
        assert command is not None
        assert command.name == name


def test_every_command_and_option_explains_itself() -> None:
    for path, command in walk_all():
        assert command.help, path
        unexplained = [
            parameter.name for parameter in command.params if isinstance(parameter, click.Option) and not parameter.help
        ]
        assert unexplained == [], path


def test_what_is_not_built_yet_is_absent() -> None:
    absent = "drain top"
    assert not set(absent.split()) & COMMANDS.keys()
