"""The models of single targets: loaded on first use, and again when their file has changed."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from captchad.domain.errors import DependencyMissing
from captchad.recognition.recognition_engine import RecognitionEngine

_logger = logging.getLogger(__name__)

FileMark = tuple[int, int]
"""A file's time of change (nanoseconds) and size (bytes); both 0 where it is missing."""


@dataclass(frozen=True, slots=True)
class _Registered:
    path: str
    mark: FileMark
    engine: RecognitionEngine


class ModelRegistry:
    """Finds the model of a target; `paths` returns the current configuration, by the target's declared host.

    All methods but `has_model` and `names` are called from the recognition thread.
    """

    def __init__(self, paths: Callable[[], Mapping[str, str]], load: Callable[[Path], RecognitionEngine]) -> None:
        self._paths = paths
        self._load = load
        self._registered: dict[str, _Registered] = {}
        self._refused: dict[str, tuple[str, FileMark]] = {}

    def has_model(self, target: str | None) -> bool:
        """Whether a target has a model of its own."""
        return target in self._paths()

    def load_all(self) -> None:
        """Load every configured model; DependencyMissing names the setting of the first that can't be loaded."""
        for target in self._paths():
            self.find(target)

    def find(self, target: str) -> RecognitionEngine | None:
        """Return the engine with a target's model, None where it has none any more.

        A model that can't be loaded is logged once, and the previous one stays in use; DependencyMissing where there
        was none.
        """
        self._forget_others()
        path = self._paths().get(target)
        if path is None:
            return None
        mark, present = _mark(path), self._registered.get(target)
        if present is not None and (path, mark) in {(present.path, present.mark), self._refused.get(target)}:
            return present.engine
        try:
            engine = self._take_alike(path, mark) or self._load(Path(path))
        except DependencyMissing as error:
            message = f"recognition.models.{target}: {error.message}"
            if present is None:
                raise DependencyMissing(message) from error
            self._refused[target] = (path, mark)
            _logger.error("%s; %s stays in use", message, present.engine.name)  # noqa: TRY400
            return present.engine
        _logger.info("loaded the model %s from %s for %s", engine.name, path, target)
        self._refused.pop(target, None)
        self._registered[target] = _Registered(path, mark, engine)
        return engine

    def names(self) -> tuple[str, ...]:
        """Name the models that are loaded."""
        # A copy: the recognition thread may change the table meanwhile.
        return tuple(sorted({registered.engine.name for registered in list(self._registered.values())}))

    def _take_alike(self, path: str, mark: FileMark) -> RecognitionEngine | None:
        """Return the engine of the same file where another target has loaded it."""
        alike = (one.engine for one in self._registered.values() if (one.path, one.mark) == (path, mark))
        return next(alike, None)

    def _forget_others(self) -> None:
        for target in self._registered.keys() - self._paths().keys():
            del self._registered[target]
            self._refused.pop(target, None)


def _mark(path: str) -> FileMark:
    try:
        # Not a digest: this is asked before every batch.
        found = Path(path).stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)
