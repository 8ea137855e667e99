"""The configuration that all roles of a fleet read: what each of them would say of it is said once."""

from collections.abc import Callable

from captchad.config.changes import describe_changes, take_over_reloadable
from captchad.config.loader import LoadedConfiguration
from captchad.config.settings import Configuration
from captchad.config.start_rules import find_refusals
from captchad.deployment.events import Listener, ServiceEvent, ServiceEventKind
from captchad.domain.errors import ConfigurationError, ConfigurationProblem
from captchad.domain.node import Role

NAME = "up"


class SharedConfiguration:
    """Reads the configuration at the start and at each reload; `host` is what the roles listen on."""

    def __init__(self, load: Callable[[], LoadedConfiguration], host: str, listener: Listener) -> None:
        self._load = load
        self._host = host
        self._listener = listener
        self.loaded = load()
        self._in_force = self.loaded.configuration

    def check(self) -> None:
        """Say what is doubtful; ConfigurationError names why roles would refuse to start."""
        problems = self._find_refusals(self.loaded.configuration)
        if problems:
            raise ConfigurationError(problems)
        self._tell_doubts(self.loaded)

    def reload(self) -> bool:
        """Read the configuration again and say what changes; return whether the roles can use it."""
        try:
            loaded = self._load()
        except ConfigurationError as error:
            self._tell(f"the new configuration is rejected: {error.message}", "error")
            return False
        report = describe_changes(self._in_force, loaded.configuration, restarted="captchad up")
        self._in_force = take_over_reloadable(self._in_force, loaded.configuration)
        for line in report.waiting:
            self._tell(line, "warning")
        for problem in self._find_refusals(loaded.configuration):
            self._tell(f"with this configuration the next start fails: {problem.path}: {problem.message}", "error")
        self._tell_doubts(loaded)
        text = f"configuration reloaded: {report.taken_over}"
        self._listener(ServiceEvent(ServiceEventKind.RELOADED, NAME, text))
        return True

    def _find_refusals(self, configuration: Configuration) -> tuple[ConfigurationProblem, ...]:
        found = {problem.path: problem for role in Role for problem in find_refusals(configuration, role, self._host)}
        return tuple(found.values())

    def _tell_doubts(self, loaded: LoadedConfiguration) -> None:
        for doubt in loaded.warnings:
            self._tell(f"{doubt.path}: {doubt.message}", "warning")

    def _tell(self, text: str, level: str) -> None:
        self._listener(ServiceEvent(ServiceEventKind.LOGGED, NAME, text, level))
