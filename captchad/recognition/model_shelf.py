"""The models of single targets: loaded when first wanted, loaded anew when their file changed."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from captchad.domain.errors import DependencyMissing
from captchad.recognition.recogniser import Recogniser

_logger = logging.getLogger(__name__)

FileMark = tuple[int, int]
"""A file's time of change (nanoseconds) and size (bytes); both 0 where it is missing."""


@dataclass(frozen=True, slots=True)
class _Shelved:
    mark: FileMark
    recogniser: Recogniser


class ModelShelf:
    """Finds the model of a target; `paths` gives the present configuration, by the target's declared host.

    All but `path_of` is called from the thread that reads.
    """

    def __init__(self, paths: Callable[[], Mapping[str, str]], load: Callable[[Path], Recogniser]) -> None:
        self._paths = paths
        self._load = load
        self._shelved: dict[str, _Shelved] = {}
        self._refused: dict[str, FileMark] = {}

    def path_of(self, target: str | None) -> str | None:
        """Give the path of a target's model; None where the usual engine reads it."""
        return None if target is None else self._paths().get(target)

    def load_all(self) -> None:
        """Load every configured model; DependencyMissing names the setting of the first that can't be."""
        for target, path in self._paths().items():
            try:
                self.find(path)
            except DependencyMissing as error:
                raise DependencyMissing(f"recognition.models.{target}: {error.message}") from error

    def find(self, path: str) -> Recogniser:
        """Give the engine with the model of a file; DependencyMissing where it can't be loaded and never was.

        A changed file that can't be loaded is told once, and the model it replaced goes on.
        """
        self._forget_others()
        mark, present = _mark(path), self._shelved.get(path)
        if present is not None and mark in {present.mark, self._refused.get(path)}:
            return present.recogniser
        try:
            recogniser = self._load(Path(path))
        except DependencyMissing as error:
            if present is None:
                raise
            self._refused[path] = mark
            _logger.error("%s; %s reads on", error.message, present.recogniser.name)  # noqa: TRY400
            return present.recogniser
        _logger.info("loaded the model %s from %s", recogniser.name, path)
        self._shelved[path] = _Shelved(mark, recogniser)
        return recogniser

    def names(self) -> tuple[str, ...]:
        """Name the models that are loaded."""
        return tuple(sorted(shelved.recogniser.name for shelved in list(self._shelved.values())))

    def _forget_others(self) -> None:
        wanted = set(self._paths().values())
        for path in self._shelved.keys() - wanted:
            del self._shelved[path]


def _mark(path: str) -> FileMark:
    try:
        found = Path(path).stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)
