"""`captchad dead`: tasks that failed for good, listed, shown and replayed, in Redis."""

from typing import Any

import click

from captchad.broker.connection import Broker
from captchad.broker.dead_letters import DeadLetter, DeadLetters
from captchad.broker.tasks import TaskStore, find_queue_limits
from captchad.cli.broker_connection import open_broker, run_connected
from captchad.cli.command_group import CommandGroup
from captchad.cli.options import config_option, json_option, limit_option, load
from captchad.cli.printing import print_json, print_pairs, print_table, say, show_time
from captchad.config.loader import LoadedConfiguration
from captchad.domain.errors import InvalidRequest
from captchad.domain.exit_codes import EXIT_FAILED
from captchad.operations.audited import audited


@click.group(cls=CommandGroup)
def dead() -> None:
    """List, show and replay tasks that failed for good."""


@dead.command("list")
@limit_option
@config_option
@json_option
def list_letters(limit: int, config_path: str | None, is_json: bool) -> None:
    """Show dead letters, the newest first."""
    letters = run_connected(_list(load(config_path), limit))
    if is_json:
        print_json([_represent(letter) for letter in letters])
        return
    rows = (
        (letter.task_id, show_time(letter.died_ms), letter.request.target, letter.attempts, letter.error.code)
        for letter in letters
    )
    headings = ("TASK", "DIED", "TARGET", "ATTEMPTS", "ERROR")
    print_table(headings, rows, "no dead letters", whole=("TASK", "DIED"))


@dead.command()
@click.argument("task_id")
@config_option
@json_option
def show(task_id: str, config_path: str | None, is_json: bool) -> None:
    """Show the dead letter TASK_ID."""
    letter = run_connected(_show(load(config_path), task_id))
    if is_json:
        print_json(_represent(letter))
        return
    print_pairs((name.replace("_", " "), value) for name, value in _represent(letter).items())


@dead.command()
@click.argument("task_id", required=False)
@click.option("--all", "is_all", is_flag=True, help="Replay every dead letter there is now.")
@config_option
@json_option
@click.pass_context
def replay(ctx: click.Context, /, task_id: str | None, is_all: bool, config_path: str | None, is_json: bool) -> None:
    """Make a new task from the dead letter TASK_ID, or from --all; the letter itself stays as it is."""
    if (task_id is None) != is_all:
        raise click.UsageError("give either a TASK_ID or --all")
    outcomes = run_connected(_replay(load(config_path), task_id))
    replayed = [(old, new) for old, new in outcomes if isinstance(new, str)]
    refused = [new.message for _, new in outcomes if isinstance(new, InvalidRequest)]
    if is_json:
        print_json([{"replay_of": old, "task_id": new} for old, new in replayed])
    else:
        for old, new in replayed:
            say(f"{old} replayed as {new}")
        if not outcomes:
            say("no dead letters")
    for message in refused:
        say(f"captchad: {message}", is_error=True)
    if refused:
        ctx.exit(EXIT_FAILED)


def _open(broker: Broker, loaded: LoadedConfiguration) -> DeadLetters:
    return DeadLetters(broker, TaskStore(broker, find_queue_limits(loaded.configuration.gateway)))


async def _list(loaded: LoadedConfiguration, limit: int) -> list[DeadLetter]:
    async with open_broker(loaded) as broker:
        return await _open(broker, loaded).list_letters(limit)


async def _show(loaded: LoadedConfiguration, task_id: str) -> DeadLetter:
    async with open_broker(loaded) as broker:
        return await _open(broker, loaded).show(task_id)


async def _replay(loaded: LoadedConfiguration, task_id: str | None) -> list[tuple[str, str | InvalidRequest]]:
    async with open_broker(loaded) as broker:
        letters = _open(broker, loaded)
        if task_id is not None:
            return [await _replay_one(broker, loaded, letters, task_id)]
        outcomes = []
        async for letter_id, replayed in letters.replay_all():
            outcomes.append((letter_id, replayed))
            async with audited(broker, loaded.configuration, "dead_replay", task_id=letter_id) as act:
                act.object |= {"replayed_as": replayed} if isinstance(replayed, str) else {"refused": replayed.code}
        return outcomes


async def _replay_one(
    broker: Broker, loaded: LoadedConfiguration, letters: DeadLetters, task_id: str
) -> tuple[str, str]:
    async with audited(broker, loaded.configuration, "dead_replay", task_id=task_id) as act:
        replayed = act.object["replayed_as"] = await letters.replay(task_id)
        return task_id, replayed


def _represent(letter: DeadLetter) -> dict[str, Any]:
    return {
        "task_id": letter.task_id,
        "target": letter.request.target,
        "url": letter.request.url,
        "picture_bytes": len(letter.request.picture) if letter.request.picture is not None else None,
        "priority": letter.request.priority.value,
        "error_code": letter.error.code.value,
        "error_message": letter.error.message,
        "attempts": letter.attempts,
        "worker": letter.worker,
        "created_at": show_time(letter.created_ms),
        "died_at": show_time(letter.died_ms),
        "metadata": letter.request.metadata,
    }
