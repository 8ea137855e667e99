"""`captchad learn`: models that targets learn from their own labels."""

import fcntl
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from captchad.cli.broker_connection import open_broker, run_connected
from captchad.cli.operator_acts import note_done
from captchad.cli.options import config_option, json_option, load
from captchad.cli.printing import print_json, print_table, say
from captchad.cli.state_folder import find_state_directory
from captchad.config.loader import LoadedConfiguration
from captchad.deployment.ownership import handed_over
from captchad.domain.errors import CaptchadError, TargetNotAllowed
from captchad.domain.exit_codes import EXIT_FAILED
from captchad.domain.learned_model import PACKAGED, ModelChoice
from captchad.domain.target import find_declared_target
from captchad.runtime.clock import Clock
from captchad.runtime.extras import Extra, require

if TYPE_CHECKING:
    from captchad.broker.learned_models import LearnedModels
    from captchad.operations.labels.label_store import LabelStore
    from captchad.training.learner import Learner, Outcome

LOWEST_PRIORITY = 19
_LOCK_NAME = "learning.lock"
_DIGEST_SHOWN = 8

Result = TypeVar("Result")


@click.command()
@click.argument("host", required=False)
@click.option("--auto", "is_auto", is_flag=True, help="Learn every target that has enough new labels; for a timer.")
@click.option("--rollback", "is_rollback", is_flag=True, help="Put the model before the present one of HOST back.")
@click.option("--list", "is_list", is_flag=True, help="Show which model each target has, and its labels.")
@config_option
@json_option
def learn(
    host: str | None, is_auto: bool, is_rollback: bool, is_list: bool, config_path: str | None, is_json: bool
) -> None:
    """Fine-tune a model for the declared target HOST on its labels, and install it if it reads more.

    Runs at the lowest priority, in one thread, on the host that keeps the labels (recognition.learner). The newest
    labels are held back; the model is installed, for that target alone and on every worker, only if it reads more of
    them by McNemar's exact test.
    """
    if is_list + is_auto + (host is not None) != 1 or (is_rollback and host is None):
        raise click.UsageError("give one of: HOST, HOST --rollback, --auto, --list")
    loaded = load(config_path)
    if is_list:
        _list_models(loaded, is_json)
    elif is_auto:
        _learn_all(loaded, is_json)
    elif is_rollback:
        _roll_back(loaded, _find_declared(loaded, host), is_json)
    else:
        _learn_one(loaded, _find_declared(loaded, host), is_json)


def _find_declared(loaded: LoadedConfiguration, host: str | None) -> str:
    try:
        return find_declared_target(loaded.configuration.security.declared_targets(), host or "").host
    except TargetNotAllowed as error:
        raise click.ClickException(error.message) from None


def _ask(loaded: LoadedConfiguration, work: "Callable[[LearnedModels], Awaitable[Result]]") -> Result:
    from captchad.broker.learned_models import LearnedModels  # noqa: PLC0415

    async def ask() -> Result:
        async with open_broker(loaded) as broker:
            return await work(LearnedModels(broker))

    return run_connected(ask())


def _learn_one(loaded: LoadedConfiguration, host: str, is_json: bool) -> None:
    if host in loaded.configuration.recognition.models:
        raise click.ClickException(
            f"recognition.models names a model for {host}, which would win over a learned one; remove it there first"
        )
    with _alone(loaded) as state_directory:
        learner = _make_learner(loaded, state_directory)
        outcome = learner.learn(host, lambda step: None if is_json else say(f"{host}: {step}"))
        _note_installed(loaded, outcome)
    if is_json:
        print_json(_represent(outcome))
    else:
        say(_word(outcome, loaded))
    if outcome.model is None:
        sys.exit(EXIT_FAILED)


def _learn_all(loaded: LoadedConfiguration, is_json: bool) -> None:
    configuration = loaded.configuration
    hosts = [target.host for target in configuration.security.declared_targets()]
    outcomes, failures = [], 0
    with _alone(loaded) as state_directory:
        learner = _make_learner(loaded, state_directory)
        for host in (host for host in hosts if host not in configuration.recognition.models):
            try:
                outcome = _learn_if_due(learner, host)
            except CaptchadError as error:
                # One target's trouble must not keep the others from learning.
                failures += 1
                say(f"{host}: {error.message}", is_error=True)
                continue
            if outcome is not None:
                _note_installed(loaded, outcome)
                outcomes.append(outcome)
                say(_word(outcome, loaded), is_error=is_json)
    if is_json:
        print_json([_represent(outcome) for outcome in outcomes])
    elif not outcomes:
        say(f"no target has enough new labels{_hint_elsewhere(loaded)}")
    if failures:
        sys.exit(EXIT_FAILED)


def _learn_if_due(learner: "Learner", host: str) -> "Outcome | None":
    if learner.restore(host):
        say(f"{host}: Redis had lost its model, which was handed on again", is_error=True)
    return learner.learn(host, lambda step: None) if learner.is_due(host) else None


def _note_installed(loaded: LoadedConfiguration, outcome: "Outcome") -> None:
    if outcome.model is not None:
        note_done(loaded, "model_install", host=outcome.host, model=outcome.model)


def _roll_back(loaded: LoadedConfiguration, host: str, is_json: bool) -> None:
    choice: ModelChoice | None = _ask(loaded, lambda models: models.roll_back(host))
    if choice is None:
        raise click.ClickException(f"{host} has no learned model to go back from")
    note_done(loaded, "model_roll_back", host=host, model=choice.present)
    if is_json:
        print_json({"host": host, **asdict(choice)})
    else:
        say(f"{host} is read with {_name(choice.present)} again; the same command puts {_name(choice.former)} back")


def _list_models(loaded: LoadedConfiguration, is_json: bool) -> None:
    require(Extra.WORKER, "counting labels")
    configuration = loaded.configuration
    hosts = [target.host for target in configuration.security.declared_targets()]
    choices = _ask(loaded, lambda models: models.read(hosts))
    store = _open_store(loaded, find_state_directory(loaded.path))
    rows = [_describe(host, choices.get(host), loaded, store) for host in hosts]
    if is_json:
        print_json(rows)
        return
    headings = ("host", "model", "former", "installed_at", "right_labels", "missing_labels")
    table = [[row[name] for name in headings] for row in rows]
    print_table([heading.upper().replace("_", " ") for heading in headings], table, "no target is declared")


def _describe(
    host: str, choice: ModelChoice | None, loaded: LoadedConfiguration, store: "LabelStore"
) -> dict[str, Any]:
    from captchad.training.lesson import LEAST_RIGHT_LABELS, count_right  # noqa: PLC0415

    configured = loaded.configuration.recognition.models.get(host)
    learned = choice or ModelChoice(PACKAGED, None, "")
    right = count_right(store.read(host))
    return {
        "host": host,
        "model": configured or _name(learned.present),
        "former": None if learned.former is None else _name(learned.former),
        "installed_at": learned.installed_at or None,
        "right_labels": right,
        "missing_labels": max(0, LEAST_RIGHT_LABELS - right),
    }


@contextmanager
def _alone(loaded: LoadedConfiguration) -> Iterator[Path]:
    """Have this process learn alone on its host, behind everything else that wants a processor."""
    require(Extra.TRAIN, "learning a model")
    state_directory = find_state_directory(loaded.path)
    state_directory.mkdir(parents=True, exist_ok=True)
    os.nice(LOWEST_PRIORITY)
    with handed_over(state_directory), open(state_directory / _LOCK_NAME, "w") as lock:  # noqa: PTH123
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException("another `captchad learn` is at work on this host") from None
        yield state_directory


def _open_store(loaded: LoadedConfiguration, state_directory: Path) -> "LabelStore":
    from captchad.operations.labels.label_store import open_label_store  # noqa: PLC0415

    return open_label_store(state_directory, loaded.configuration.recognition, Clock())


def _make_learner(loaded: LoadedConfiguration, state_directory: Path) -> "Learner":
    from captchad.training.learner import Learner  # noqa: PLC0415

    store = _open_store(loaded, state_directory)
    return Learner(state_directory, store, lambda work: _ask(loaded, work), Clock())


def _name(digest: str | None) -> str:
    return digest[:_DIGEST_SHOWN] if digest else "the packaged model"


def _hint_elsewhere(loaded: LoadedConfiguration) -> str:
    """Say where labels are kept, if that does not seem to be this host."""
    learner = loaded.configuration.recognition.learner
    is_here = loaded.configuration.keeps_labels(socket.gethostname())
    return "" if is_here or learner is None else f"; labels are kept by {learner}"


def _word(outcome: "Outcome", loaded: LoadedConfiguration) -> str:
    from captchad.training.learner import Fate  # noqa: PLC0415
    from captchad.training.lesson import LEAST_RIGHT_LABELS  # noqa: PLC0415

    if outcome.learned is None:
        missing = LEAST_RIGHT_LABELS - outcome.right
        return f"{outcome.host}: {outcome.right} right labels, {missing} more are needed{_hint_elsewhere(loaded)}"
    found = outcome.learned.comparison
    figures = (
        f"of {found.pictures} held back labels it reads {found.gained} better and {found.lost} worse than the present "
        f"model (p {found.chance:.2g}); as they are {found.after} instead of {found.before}, "
        f"disturbed {found.after_disturbed:.0%} instead of {found.before_disturbed:.0%}"
    )
    if outcome.fate is Fate.NO_BETTER:
        return f"{outcome.host}: the present model stays, the new one does not certainly read more: {figures}"
    if outcome.model is None:
        return f"{outcome.host}: the present model was replaced meanwhile; run the command again"
    return f"{outcome.host}: {_name(outcome.model)} is installed: {figures}"


def _represent(outcome: "Outcome") -> dict[str, Any]:
    from captchad.training.lesson import LEAST_RIGHT_LABELS  # noqa: PLC0415

    learned = outcome.learned
    return {
        "host": outcome.host,
        "outcome": outcome.fate,
        "model": outcome.model,
        "right_labels": outcome.right,
        "missing_labels": max(0, LEAST_RIGHT_LABELS - outcome.right),
        "comparison": None if learned is None else {**asdict(learned.comparison), "chance": learned.comparison.chance},
        "refit": None if learned is None or learned.refit is None else asdict(learned.refit),
    }
