"""The Chinese deployment guide names commands that exist, and everything that the specification names."""

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest

from captchad.cli.main import root
from captchad.config.environment import CONFIGURATION_PATH_VARIABLE, REDIS_PASSWORD_VARIABLE, SPECIFIED_VARIABLES
from captchad.config.json_file import parse_text
from captchad.config.settings import Configuration
from captchad.deployment.systemd.joining import read_credentials
from captchad.domain.ports import REDIS_PORT, ROLE_PORTS, SENTINEL_PORT
from tests.unit.config.specified_files import ACCESS, CACHE, CONCURRENCY, DISTRIBUTED

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/deployment-guide.zh.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
TABLES = GUIDE.partition("\n## 对照表\n")[2]
CALL = re.compile(r"(?:[A-Z_]+=\S+ )*(?:captchad|\.venv/bin/captchad|\./scripts/deploy-distributed\.sh) ([^#|>]+)")
METRICS = (
    *(f"captcha_tasks_{name}" for name in ("total", "pending", "processing", "completed", "failed")),
    *("worker_nodes_active", "system_cpu_usage", "system_memory_usage"),
)


def list_commands(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the words after the program's name of every call in the shell blocks and the code spans of a document."""
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for line in (*"\n".join(blocks).splitlines(), *re.findall(r"`([^`\n]+)`", prose)):
        call = CALL.match(line)
        if call is not None:
            yield tuple(shlex.split(call[1].removesuffix("\\")))


def parse(arguments: Sequence[str]) -> None:
    """Have click read a command line to its end, without running it."""
    name, command, parent = "captchad", root, None
    rest = list(arguments)
    while True:
        context = command.make_context(name, rest, parent=parent)
        if not isinstance(command, click.Group):
            return
        found, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        assert inner is not None
        name, command, parent = found, inner, context


COMMANDS = sorted(set(list_commands(GUIDE)))
# Its blocks are indented instead of fenced.
OF_OPERATIONS = sorted(set(list_commands(re.sub(r"^ {4}(\S.*)$", r"```bash\n\1\n```", OPERATIONS, flags=re.MULTILINE))))


@pytest.mark.parametrize("words", [*COMMANDS, *OF_OPERATIONS], ids=" ".join)
def test_every_command_of_guide_and_operations_exists_with_its_options(words: tuple[str, ...]) -> None:
    parse(words)


def test_no_output_shows_a_version_that_would_go_stale() -> None:
    assert re.findall(r"captchad[ /-]\d+\.\d+\S*", GUIDE + OPERATIONS) == []


LINES_OF_NO_COMMAND = ("scale worker-node", "deploy --swarm", "no-such-command", "backup verify", "logs --since")


@pytest.mark.parametrize("line", LINES_OF_NO_COMMAND)
def test_a_command_that_does_not_exist_would_have_been_noticed(line: str) -> None:
    with pytest.raises(click.UsageError):
        parse(line.split())


def test_the_management_commands_of_the_specification_are_in_the_guide() -> None:
    verbs = {words[0] for words in COMMANDS}
    assert verbs >= {"deploy", "start", "stop", "restart", "status", "health", "scale", "logs", "monitor", "backup"}


def list_settings(tree: object, path: str = "") -> Iterator[str]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from list_settings(value, f"{path}.{name}".strip("."))
    else:
        yield path


@pytest.mark.parametrize("text", [DISTRIBUTED, CONCURRENCY, CACHE, ACCESS])
def test_the_tables_name_every_setting_of_the_specification(text: str) -> None:
    for setting in list_settings(parse_text(text, "the specification").tree):
        assert f"`{setting}`" in TABLES, setting


def test_the_tables_name_every_variable_port_and_metric_of_the_specification() -> None:
    for name in (*SPECIFIED_VARIABLES, CONFIGURATION_PATH_VARIABLE, REDIS_PASSWORD_VARIABLE, *METRICS):
        assert f"`{name}`" in TABLES, name
    for port in (*ROLE_PORTS.values(), REDIS_PORT, SENTINEL_PORT, 4444):
        assert re.search(rf"^\| {port}\b", TABLES, re.MULTILINE), port


def list_files_of_several_hosts() -> dict[str, str]:
    chapter = OPERATIONS.partition("\n## Several hosts\n")[2].partition("\n## ")[0]
    found = re.findall(r"`(/\S+\.json)`[^\n]*(?:\n[^\n]+)*\n\n( {4}\{\n(?: {4}[^\n]*\n)+)", chapter)
    return dict(found)


def test_the_files_that_the_chapter_on_several_hosts_gives_are_read_as_they_stand() -> None:
    files = list_files_of_several_hosts()
    assert files.keys() == {"/etc/captchad/distributed.json", "/root/credentials.json"}
    tree = parse_text(files["/etc/captchad/distributed.json"], "distributed.json").tree
    assert Configuration.model_validate(tree).redis.min_replicas_acknowledged == 1
    given = read_credentials(files["/root/credentials.json"], "credentials.json")
    assert given.password
    assert given.sentinel_password
    assert given.session_key
