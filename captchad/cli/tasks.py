"""`captchad submit`, `status` and `cancel`: one task, over HTTP."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from captchad.cli.options import gateway_options, json_option, open_client
from captchad.cli.printing import print_json, print_pairs, say, show_confidence
from captchad.cli.task_options import make_task_body, name_argument, task_options
from captchad.domain.errors import CaptchadError, FeatureNotBuilt, InvalidRequest, UnsupportedCharset, Violation
from captchad.domain.exit_codes import EXIT_FAILED
from captchad.domain.task import TaskStatus

if TYPE_CHECKING:
    from captchad.client import GatewayClient

wait_option = click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Wait at most this long for the task to end; 0 looks once.",
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
    wait_seconds: float | None,
    gateway: str,
    api_key: str | None,
    idempotency_key: str | None,
    is_json: bool,
    **options: Any,
) -> None:
    """Submit the page at URL, or a picture with --image, and print the task's id.

    With --wait: print the captcha's text and its confidence instead, and whether a form took it; exit 1 when the task
    fails or takes longer, or the page does not show the --success or --failure that was asked for.
    """
    body = make_task_body(options)
    client = open_client(gateway, api_key)
    accepted = _submit(client, body, idempotency_key)
    if not is_json and accepted.get("session_left_out"):
        say(f"captchad: {_describe_left_out(accepted['session_left_out'])}", is_error=True)
    if wait_seconds is None:
        print_json(accepted) if is_json else say(accepted["task_id"])
        return
    try:
        state = client.wait(accepted["task_id"], wait_seconds)
    except (CaptchadError, KeyboardInterrupt):
        _name_stored(accepted, is_json)
        raise
    if is_json:
        print_json(state)
    else:
        _print_answer(state, wait_seconds)
    if state["status"] != TaskStatus.COMPLETED:
        ctx.exit(EXIT_FAILED)
    fill = body.get("fill") or {}
    if (fill.get("success") or fill.get("failure")) and state["result"]["verified"] is not True:
        if not is_json:
            say("captchad: the answer was sent, but the page shows neither success nor failure", is_error=True)
        ctx.exit(EXIT_FAILED)


@click.command()
@click.argument("task_id", required=False)
@wait_option
@gateway_options
@json_option
@click.pass_context
def status(
    ctx: click.Context,
    /,
    task_id: str | None,
    wait_seconds: float | None,
    gateway: str,
    api_key: str | None,
    is_json: bool,
) -> None:
    """Show the task TASK_ID; without an id, the services of this host, or the one at --gateway."""
    if task_id is None:
        if wait_seconds is not None:
            raise click.UsageError("--wait waits for a task: give its TASK_ID")
        from captchad.cli.services import print_services  # noqa: PLC0415

        is_named = ctx.get_parameter_source("gateway") is not ParameterSource.DEFAULT
        print_services(api_key, is_json, gateway if is_named else None)
        if not is_named and not is_json:
            from captchad.cli.host_services import print_units  # noqa: PLC0415

            print_units()
        return
    client = open_client(gateway, api_key)
    state = client.task_status(task_id) if wait_seconds is None else client.wait(task_id, wait_seconds)
    print_json(state) if is_json else print_pairs(_describe_state(state))


@click.command()
@click.argument("task_id")
@gateway_options
@json_option
def cancel(task_id: str, gateway: str, api_key: str | None, is_json: bool) -> None:
    """Cancel the task TASK_ID, waiting or being worked on."""
    state = open_client(gateway, api_key).cancel(task_id)
    print_json(state) if is_json else say(f"{state['task_id']} is {state['status']}")


def _submit(client: "GatewayClient", body: dict[str, Any], idempotency_key: str | None) -> dict[str, Any]:
    """Submit a body; what the gateway says of its members is said of the arguments they come from."""
    try:
        return client.submit(body, idempotency_key)
    except UnsupportedCharset as error:
        reasons = "; ".join(f"{one.pointer}: {one.message}" for one in _name_arguments(error.violations))
        raise click.UsageError(reasons or error.message) from None
    except InvalidRequest as error:
        # The gateway speaks of a body, which nobody wrote here.
        message = "the gateway refuses the task" if error.violations else error.message
        raise InvalidRequest(message, _name_arguments(error.violations)) from None
    except FeatureNotBuilt as error:
        pointer, _, reason = error.message.partition(": ")
        raise FeatureNotBuilt(f"{name_argument(pointer)}: {reason}") from None


def _name_arguments(violations: Iterable[Violation]) -> tuple[Violation, ...]:
    return tuple(Violation(name_argument(one.pointer), one.message) for one in violations)


def _name_stored(accepted: dict[str, Any], is_json: bool) -> None:
    """Name a task that can't be waited for: it is stored all the same."""
    task_id = accepted["task_id"]
    if is_json:
        print_json(accepted)
    else:
        say(f"captchad: {task_id} is submitted — `captchad status {task_id}` shows it", is_error=True)


def _print_answer(state: dict[str, Any], wait_seconds: float) -> None:
    task_id = state["task_id"]
    if state["status"] == TaskStatus.COMPLETED:
        result = state["result"]
        columns = [result["captcha_text"], show_confidence(result["confidence"])]
        if result.get("verified") is not None:
            columns.append("verified" if result["verified"] else "not verified")
        say(*columns)
        if result.get("session") is not None:
            # Not among what a program reads: its values are secrets.
            say(f"session: {_describe_session(result['session'])}", is_error=True)
        return
    error = state.get("error")
    if error:
        raise click.ClickException(f"{task_id} {state['status']}: {error['code']}: {error['message']}")
    if TaskStatus(state["status"]).is_final:
        raise click.ClickException(f"{task_id} is {state['status']}")
    waited = f" after {wait_seconds:g} s" if wait_seconds else ""
    awaited = _describe_waiting(state.get("waiting_for"))
    reason = f" (waiting for: {awaited})" if awaited else ""
    raise click.ClickException(
        f"{task_id} is still {state['status']}{waited}{reason} — ask again with `captchad status {task_id}`"
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
        ("went on to", result.get("left_scope_to")),
        ("recogniser", result.get("recogniser")),
        ("milliseconds", _describe_timings(result.get("timings_ms"))),
        ("picture", evidence.get("image_url")),
        ("screenshot", evidence.get("screenshot_url")),
        ("session", _describe_session(session)),
        ("waiting for", _describe_waiting(state.get("waiting_for"))),
        ("error", f"{error['code']}: {error['message']}" if error else None),
        ("attempts", state.get("attempts")),
        ("answers sent", state.get("answers") or None),
        ("worker", state.get("worker")),
        ("created", state.get("created_at")),
        ("started", state.get("started_at")),
        ("completed", state.get("completed_at")),
        ("metadata", state.get("metadata")),
    ]


def _describe_waiting(waiting_for: dict[str, Any] | None) -> str | None:
    if waiting_for is None:
        return None
    reason, until = str(waiting_for["reason"]).replace("_", " "), waiting_for.get("until")
    return f"{reason}, until {until}" if until else reason


def _describe_timings(timings_ms: dict[str, float] | None) -> str | None:
    if not timings_ms:
        return None
    return ", ".join(f"{stage} {milliseconds:.0f}" for stage, milliseconds in timings_ms.items())


def _describe_left_out(left_out: dict[str, list[str]]) -> str:
    parts = [f"cookies of {host}" for host in left_out["cookies"]]
    parts += [f"storage of {origin}" for origin in left_out["origins"]]
    return f"not given to the page, which would not be sent it: {', '.join(parts)}"


def _describe_session(session: dict[str, Any] | None) -> str | None:
    """Count what is in a session; the values are secrets, which --json alone shows."""
    if session is None:
        return None
    return f"{len(session['cookies'])} cookies, {len(session['local_storage'])} stored values; --json shows them"
