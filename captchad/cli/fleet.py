"""`captchad stats`, `workers` and `queue`: the fleet as the gateway sees it, over HTTP."""

from typing import Any

import click

from captchad.cli.options import gateway_options, json_option, open_client
from captchad.cli.printing import print_json, print_pairs, print_table, say, show

BYTES_PER_MEBIBYTE = 1_048_576
_KNOWN_STATS = {
    "active_workers": "active workers",
    "pending_tasks": "pending",
    "completed_tasks": "completed",
    "failed_tasks": "failed",
    "average_processing_time": "mean seconds of a task, last hour",
}


@click.command()
@gateway_options
@json_option
def stats(gateway: str, api_key: str | None, is_json: bool) -> None:
    """Show totals, the mean time of a task, the load of the hosts, changed captchas, and where no form is filled."""
    found = open_client(gateway, api_key).stats()
    if is_json:
        print_json(found)
        return
    load = found.get("system_load") or {}
    pairs: list[tuple[str, object]] = [(label, found.get(name)) for name, label in _KNOWN_STATS.items()]
    others = ((name, value) for name, value in found.items() if name not in _KNOWN_STATS)
    pairs += [(name.replace("_", " "), value) for name, value in others if isinstance(value, (int, float, str))]
    pairs += [
        ("cpu", _percent(load.get("cpu_usage"))),
        ("memory", _percent(load.get("memory_usage"))),
        ("disk", _percent(load.get("disk_usage"))),
    ]
    print_pairs(pairs)
    captchas = found.get("captchas") or {}
    if captchas:
        say("")
        headings = ("TARGET", "CAPTCHA", "VISITS", "CHANGED", "BY")
        print_table(headings, (_describe_captcha(host, captcha) for host, captcha in captchas.items()), "")

    closures = found.get("fill_closures") or {}
    if closures:
        say("")
        rows = ((host, found.get("closed_at"), f"captchad targets reopen {host}") for host, found in closures.items())
        print_table(("TARGET", "FILL CLOSED SINCE", "TO REOPEN"), rows, "")


@click.command()
@gateway_options
@json_option
def workers(gateway: str, api_key: str | None, is_json: bool) -> None:
    """Show every worker with its slots, its browser and what it has done."""
    found = open_client(gateway, api_key).workers()
    if is_json:
        print_json(found)
        return
    headings = ("NAME", "HOST", "STATE", "BUSY", "HEARTBEAT", "BROWSER", "PAGES", "MIB", "RECYCLED", "DONE", "FAILED")
    listed = found.get("workers", [])
    print_table(headings, (_describe_worker(worker) for worker in listed), "no workers; start one with `captchad up`")


@click.command()
@gateway_options
@json_option
def queue(gateway: str, api_key: str | None, is_json: bool) -> None:
    """Show how many tasks wait, for how long, and for which target."""
    found = open_client(gateway, api_key).queue_status()
    if is_json:
        print_json(found)
        return
    print_pairs(_describe_queue(found))
    targets = found.get("per_target") or {}
    if targets:
        say("")
        columns = ("pending", "processing", "deferred")
        rows = ((host, *(figures.get(name) for name in columns)) for host, figures in targets.items())
        print_table(("TARGET", "PENDING", "PROCESSING", "DEFERRED"), rows, "")


def _describe_worker(worker: dict[str, Any]) -> tuple[object, ...]:
    age, resident = worker.get("heartbeat_age_seconds"), worker.get("rss_bytes")
    return (
        worker.get("name"),
        worker.get("host"),
        worker.get("state"),
        f"{show(worker.get('busy'))}/{show(worker.get('slots'))}",
        None if age is None else f"{age:.1f} s",
        worker.get("browser_version"),
        worker.get("pages_served"),
        None if resident is None else round(resident / BYTES_PER_MEBIBYTE),
        worker.get("recycled"),
        worker.get("tasks_done"),
        worker.get("tasks_failed"),
    )


def _describe_captcha(host: str, captcha: dict[str, Any]) -> tuple[object, ...]:
    return (
        host,
        "learning" if captcha.get("is_learning") else "watched",
        captcha.get("visits"),
        captcha.get("changed_at"),
        ", ".join(captcha.get("signals") or []) or None,
    )


def _describe_queue(found: dict[str, Any]) -> list[tuple[str, object]]:
    depths, ages = found.get("depth") or {}, found.get("oldest_age_seconds") or {}
    pairs: list[tuple[str, object]] = []
    for priority, depth in depths.items():
        age = ages.get(priority)
        pairs.append((priority, f"{depth} waiting" + (f", the oldest for {age:.0f} s" if age is not None else "")))
    return pairs + [
        (name.replace("_", " "), found.get(name))
        for name in ("processing", "delayed", "dead", "dead_bytes", "queued_bytes")
    ]


def _percent(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f} %"
