"""What `config check` and `doctor` find in a configuration: what is wrong, why roles would refuse to start, doubts."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from captchad.config.loader import Examination
from captchad.config.settings import Configuration
from captchad.config.start_rules import find_refusals
from captchad.config.unseen_credentials import find_unseen_credentials
from captchad.config.validation import do_overlap
from captchad.domain.errors import ConfigurationProblem, DependencyMissing
from captchad.domain.node import Role
from captchad.runtime.extras import Extra, require


def list_problems(examined: Examination, roles: Iterable[Role] = tuple(Role)) -> list[ConfigurationProblem]:
    """Return what is wrong, and why roles would refuse to start with the rest."""
    wrong = examined.problems
    # What a refusal would say of a setting that is wrong itself holds only for its default.
    refusals = (
        refusal
        for refusal in list_refusals(examined.loaded.configuration, roles)
        if not any(do_overlap(refusal.path, problem.path) for problem in wrong)
    )
    return [*wrong, *refusals]


def list_refusals(configuration: Configuration, roles: Iterable[Role] = tuple(Role)) -> list[ConfigurationProblem]:
    """Return why roles would refuse to start, each reason once with the roles it concerns."""
    wanted, unseen = tuple(roles), find_unseen_credentials(configuration)
    concerned: dict[tuple[str, str], list[str]] = {}
    for role in wanted:
        for problem in find_refusals(configuration, role):
            message = problem.message.removeprefix(f"the {role} does not start ")
            if problem.path not in unseen:
                concerned.setdefault((problem.path, message), []).append(role)
    if Role.WORKER in wanted:
        named = {path for path, _ in concerned}
        for problem in _find_bad_models(configuration):
            if problem.path not in named:
                concerned[(problem.path, problem.message)] = [Role.WORKER]
    return [
        ConfigurationProblem(path, f"{_deny(names)} start: {message}") for (path, message), names in concerned.items()
    ]


def list_doubts(examined: Examination) -> list[ConfigurationProblem]:
    """Return what is allowed but probably a mistake; nothing as long as something is wrong."""
    found = list(examined.loaded.warnings)
    for path, name in find_unseen_credentials(examined.loaded.configuration).items():
        found.append(
            ConfigurationProblem(path, f"{name} is a systemd credential, which the role's own unit alone can see")
        )
    if not examined.problems and not examined.loaded.configuration.security.targets:
        found.append(ConfigurationProblem("security.targets", "no target is declared, so nothing is in scope"))
    return found


def _find_bad_models(configuration: Configuration) -> Iterator[ConfigurationProblem]:
    """Load the models of targets as a worker would."""
    if not configuration.recognition.models:
        return
    try:
        require(Extra.WORKER, "loading a model")
    except DependencyMissing:
        # No worker can start here anyway.
        return
    # The model's runtime takes a while to load.
    from captchad.recognition.widening import load_target_engine  # noqa: PLC0415

    for host, path in configuration.recognition.models.items():
        try:
            load_target_engine(Path(path))
        except DependencyMissing as error:
            yield ConfigurationProblem(f"recognition.models.{host}", error.message)


def _deny(roles: list[str]) -> str:
    if len(roles) == len(Role):
        return "no role will"
    *others, last = [f"the {role}" for role in roles]
    return f"{', '.join(others)} and {last} will not" if others else f"{last} will not"
