"""`captchad submit`, `status` and `cancel`: one task, over HTTP."""

from typing import Any

import click

from captchad.cli.options import gateway_options, json_option, open_client
from captchad.cli.printing import print_json, print_pairs, say, show_confidence
from captchad.cli.task_options import make_task_body, task_options
from captchad.domain.exit_codes import EXIT_FAILED
from captchad.domain.task import TaskStatus
from captchad.runtime.clock import Clock

wait_option = click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(0),
    metavar="SECONDS",
    default=0.0,
    help="Wait at most this long for the task to end.",
)


@click.command()
@click.argument("url", required=False)
@task_options
@click.option("--idempotency-key", metavar="KEY", help="Submitting the same key and task again returns the same task.")
@wait_option
@gateway_options
@json_option
@click.pass_context
def submit(
    ctx: click.Context,
    /,
    wait_seconds: float,
    gateway: str,
    api_key: str | None,
    idempotency_key: str | None,
    is_json: bool,
    **options: Any,
) -> None:
    """Submit the page at URL, or a picture with --image, and print the task's id.

    With --wait: print the captcha's text and its confidence instead; exit 1 when the task fails or takes longer.
    """
    body = make_task_body(options)
    client = open_client(gateway, api_key)
    accepted = client.submit(body, idempotency_key)
    if not wait_seconds:
        print_json(accepted) if is_json else say(accepted["task_id"])
        return
    state = client.wait(accepted["task_id"], wait_seconds, Clock().monotonic_seconds)
    if is_json:
        print_json(state)
        ctx.exit(0 if state["status"] == TaskStatus.COMPLETED else EXIT_FAILED)
    _print_answer(state, wait_seconds)


@click.command()
@click.argument("task_id", required=False)
@wait_option
@gateway_options
@json_option
def status(task_id: str | None, wait_seconds: float, gateway: str, api_key: str | None, is_json: bool) -> None:
    """Show the task TASK_ID; without an id, the services of this host."""
    if task_id is None:
        from captchad.cli.services import print_services  # noqa: PLC0415

        print_services(api_key, is_json)
        return
    client = open_client(gateway, api_key)
    if wait_seconds:
        state = client.wait(task_id, wait_seconds, Clock().monotonic_seconds)
    else:
        state = client.task_status(task_id)
    print_json(state) if is_json else print_pairs(_describe_state(state))


@click.command()
@click.argument("task_id")
@gateway_options
@json_option
def cancel(task_id: str, gateway: str, api_key: str | None, is_json: bool) -> None:
    """Cancel the task TASK_ID, waiting or being worked on."""
    state = open_client(gateway, api_key).cancel(task_id)
    print_json(state) if is_json else say(f"{state['task_id']} is {state['status']}")


def _print_answer(state: dict[str, Any], wait_seconds: float) -> None:
    task_id = state["task_id"]
    if state["status"] == TaskStatus.COMPLETED:
        result = state["result"]
        say(result["captcha_text"], show_confidence(result["confidence"]))
        return
    error = state.get("error")
    if error:
        raise click.ClickException(f"{task_id} {state['status']}: {error['code']}: {error['message']}")
    if TaskStatus(state["status"]).is_final:
        raise click.ClickException(f"{task_id} is {state['status']}")
    raise click.ClickException(
        f"{task_id} is still {state['status']} after {wait_seconds:g} s — ask again with `captchad status {task_id}`"
    )


def _describe_state(state: dict[str, Any]) -> list[tuple[str, object]]:
    result, error = state.get("result") or {}, state.get("error")
    evidence, session = result.get("evidence") or {}, result.get("session")
    return [
        ("task", state["task_id"]),
        ("status", state["status"]),
        ("text", result.get("captcha_text")),
        ("confidence", show_confidence(result.get("confidence"))),
        ("expression", result.get("expression")),
        ("verified", result.get("verified")),
        ("recogniser", result.get("recogniser")),
        ("milliseconds", _describe_timings(result.get("timings_ms"))),
        ("picture", evidence.get("image_url")),
        ("screenshot", evidence.get("screenshot_url")),
        ("session", _describe_session(session)),
        ("error", f"{error['code']}: {error['message']}" if error else None),
        ("attempts", state.get("attempts")),
        ("worker", state.get("worker")),
        ("created", state.get("created_at")),
        ("started", state.get("started_at")),
        ("completed", state.get("completed_at")),
        ("metadata", state.get("metadata")),
    ]


def _describe_timings(timings_ms: dict[str, float] | None) -> str | None:
    if not timings_ms:
        return None
    return ", ".join(f"{stage} {milliseconds:.0f}" for stage, milliseconds in timings_ms.items())


def _describe_session(session: dict[str, Any] | None) -> str | None:
    """Count what is in a session; the values are secrets, which --json alone shows."""
    if session is None:
        return None
    return f"{len(session['cookies'])} cookies, {len(session['local_storage'])} stored values; --json shows them"
