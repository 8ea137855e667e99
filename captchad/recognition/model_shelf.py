"""The learned models in this host's state folder: which file reads which target, and whether it can."""

import contextlib
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np

from captchad.domain.errors import DependencyMissing
from captchad.domain.learned_model import MODEL_LIMIT_BYTES, PACKAGED, ModelChoice, find_digest
from captchad.domain.recognition import Hints
from captchad.recognition.captchad_engine import CaptchadEngine, load_captchad_engine
from captchad.runtime.durable_files import write_whole

MODELS_FOLDER_NAME = "models"
"""Below the state folder."""
_HEIGHT_PIXELS, _WIDTH_PIXELS = 40, 120
_CHOICE_SUFFIX, _MODEL_SUFFIX = ".json", ".onnx"


class ModelShelf:
    """Models by their hashes, and the choice of each target; several processes of a host share the folder.

    Every file appears whole, and is never changed but for a target's choice.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Return where a model lies or would lie."""
        return self._folder / f"{digest}{_MODEL_SUFFIX}"

    def put(self, digest: str, file: bytes) -> Path:
        """Keep a model and return where; DependencyMissing where it is not what its hash says, or can't be used."""
        if len(file) > MODEL_LIMIT_BYTES or find_digest(file) != digest:
            raise DependencyMissing("its bytes are not those that its hash names")
        path = self.path(digest)
        if not self._is_whole(digest):
            write_whole(path, file)
        try:
            self.check(digest)
        except DependencyMissing:
            path.unlink(missing_ok=True)
            raise
        return path

    def check(self, digest: str) -> None:
        """Raise DependencyMissing unless the model is here, is what its hash says, can be loaded and reads."""
        if not self._is_whole(digest):
            raise DependencyMissing(f"{self.path(digest)} is missing or damaged")
        try_to_read(load_captchad_engine(self.path(digest)))

    def recall(self, host: str) -> ModelChoice | None:
        """Return what was chosen last for a target; None where nothing was."""
        try:
            values = json.loads(self._choice_path(host).read_text(encoding="utf-8"))
            return ModelChoice(values["present"], values["former"], values["installed_at"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def remember(self, host: str, choice: ModelChoice) -> None:
        """Have a choice outlive this process."""
        values = {
            "host": host,
            "present": choice.present,
            "former": choice.former,
            "installed_at": choice.installed_at,
        }
        write_whole(self._choice_path(host), json.dumps(values).encode())

    def tidy(self, choices: Mapping[str, ModelChoice]) -> None:
        """Remove the models that are neither present nor former by any remembered choice or by these."""
        remembered = [_read_digests(path) for path in self._folder.glob(f"*{_CHOICE_SUFFIX}")]
        given = [{choice.present, choice.former} for choice in choices.values()]
        kept: set[object] = set().union(*remembered, *given)
        for path in self._folder.glob(f"*{_MODEL_SUFFIX}"):
            if path.stem not in kept:
                path.unlink(missing_ok=True)

    def _choice_path(self, host: str) -> Path:
        # A host may have every character, and be longer than a file's name.
        return self._folder / f"{sha256(host.encode()).hexdigest()}{_CHOICE_SUFFIX}"

    def _is_whole(self, digest: str) -> bool:
        with contextlib.suppress(OSError):
            return find_digest(self.path(digest).read_bytes()) == digest
        return False


def try_to_read(engine: CaptchadEngine) -> None:
    """Read a picture with an engine; DependencyMissing where that fails."""
    ground = np.full((_HEIGHT_PIXELS, _WIDTH_PIXELS), 255, dtype=np.uint8)
    ground[_HEIGHT_PIXELS // 4 : -_HEIGHT_PIXELS // 4, _WIDTH_PIXELS // 4 : -_WIDTH_PIXELS // 4 : 2] = 0
    try:
        engine.recognise([ground], [Hints()])
    # onnxruntime's own exceptions share no base class but Exception.
    except Exception as error:
        raise DependencyMissing(f"{engine.name} can't read: {' '.join(str(error).split())}") from error


def _read_digests(path: Path) -> set[str | None]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return {values["present"], values["former"]} - {PACKAGED}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
