"""`captchad callbacks`: those that were given up, listed, shown and sent again, in Redis."""

from typing import Any

import click
import orjson

from captchad.broker.callbacks import Callback, DeadCallbacks
from captchad.cli.broker_connection import open_broker, run_connected
from captchad.cli.command_group import CommandGroup
from captchad.cli.options import config_option, json_option, limit_option, load
from captchad.cli.printing import print_json, print_pairs, print_table, say, show_time
from captchad.config.loader import LoadedConfiguration
from captchad.operations.audited import audited
from captchad.web.api.representation import represent_task

REPLAY = "callback_replay"
"""What the audit log calls it."""


@click.group(cls=CommandGroup)
def callbacks() -> None:
    """List, show and send again callbacks that were given up."""


@callbacks.command("list")
@limit_option
@config_option
@json_option
def list_callbacks(limit: int, config_path: str | None, is_json: bool) -> None:
    """Show callbacks that were given up, the newest first."""
    found = run_connected(_list(load(config_path), limit))
    if is_json:
        print_json([_represent(callback) for callback in found])
        return
    rows = ((one.task_id, show_time(one.failed_ms), one.host, one.tries, one.failure) for one in found)
    print_table(("TASK", "FAILED", "HOST", "TRIES", "WHY"), rows, "no callback was given up", whole=("TASK", "FAILED"))


@callbacks.command()
@click.argument("task_id")
@config_option
@json_option
def show(task_id: str, config_path: str | None, is_json: bool) -> None:
    """Show the callback of TASK_ID that was given up, with its body."""
    callback = run_connected(_show(load(config_path), task_id))
    shown = _represent(callback)
    body = None if callback.record is None else represent_task(callback.record)
    if is_json:
        print_json({**shown, "body": body})
        return
    print_pairs((name.replace("_", " "), value) for name, value in shown.items())
    print_pairs([("body", orjson.dumps(body).decode())])


@callbacks.command()
@click.argument("task_id", required=False)
@click.option("--all", "is_all", is_flag=True, help="Send again every callback that was given up.")
@config_option
@json_option
def replay(task_id: str | None, is_all: bool, config_path: str | None, is_json: bool) -> None:
    """Send the callback of TASK_ID again, or --all; the task itself stays as it is."""
    if (task_id is None) != is_all:
        raise click.UsageError("give either a TASK_ID or --all")
    replayed = run_connected(_replay(load(config_path), task_id))
    if is_json:
        print_json([{"task_id": one} for one in replayed])
        return
    for one in replayed:
        say(f"the callback of {one} is sent again")
    if not replayed:
        say("no callback was given up")


async def _list(loaded: LoadedConfiguration, limit: int) -> list[Callback]:
    async with open_broker(loaded) as broker:
        return await DeadCallbacks(broker).list_callbacks(limit)


async def _show(loaded: LoadedConfiguration, task_id: str) -> Callback:
    async with open_broker(loaded) as broker:
        return await DeadCallbacks(broker).show(task_id)


async def _replay(loaded: LoadedConfiguration, task_id: str | None) -> list[str]:
    async with open_broker(loaded) as broker:
        dead = DeadCallbacks(broker)
        if task_id is None:
            replayed = []
            async for one in dead.replay_all():
                replayed.append(one)
                async with audited(broker, loaded.configuration, REPLAY, task_id=one):
                    pass
            return replayed
        async with audited(broker, loaded.configuration, REPLAY, task_id=task_id):
            await dead.replay(task_id)
        return [task_id]


def _represent(callback: Callback) -> dict[str, Any]:
    return {
        "task_id": callback.task_id,
        "url": callback.url,
        "tries": callback.tries,
        "failure": callback.failure,
        "failed_at": show_time(callback.failed_ms),
        "since": show_time(callback.since_ms),
    }
