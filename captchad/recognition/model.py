"""captchad's own models: one ONNX file that also holds symbols, origin and calibration."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from captchad.domain.errors import DependencyMissing
from captchad.recognition.ctc import LogProbabilities
from captchad.recognition.onnx_session import open_session
from captchad.recognition.preparation import COLOUR_PLANES, GREY_PLANES, Prepared, stack

DESCRIPTION_KEY = "captchad"
"""Where in the ONNX file's metadata the description lies, as JSON."""

PACKAGED_NAME = "captchad.onnx"
PACKAGED_WEIGHTS_NAME = "captchad-weights.onnx"


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded network with its description; `symbols` names its columns after the first, which is the blank.

    `planes` is how many each prepared picture has: see `preparation`.
    """

    session: onnxruntime.InferenceSession
    name: str
    symbols: str
    column_width_pixels: int
    planes: int
    description: Mapping[str, Any]

    def run(self, pictures: Sequence[Prepared]) -> list[LogProbabilities]:
        """Return the log probabilities of each picture, shape (steps, 1 + symbols).

        Only pictures of equal width run together: padding would let a picture's neighbours change its reading.
        """
        alike: dict[int, list[int]] = defaultdict(list)
        for number, picture in enumerate(pictures):
            alike[picture.shape[2]].append(number)
        found: dict[int, LogProbabilities] = {}
        for width, numbers in alike.items():
            batch = stack([pictures[number] for number in numbers])
            (outputs,) = self.session.run(None, {self.session.get_inputs()[0].name: batch})
            steps = -(-width // self.column_width_pixels)
            for place, number in enumerate(numbers):
                found[number] = np.asarray(outputs[:steps, place], dtype=np.float64)
        return [found[number] for number in range(len(pictures))]


def load_model(path: Path | None = None) -> Model:
    """Load a model's file, or the packaged model; DependencyMissing where it is missing or is not a captchad model."""
    path = find_packaged_model() if path is None else path
    try:
        session = open_session(path)
        description = json.loads(session.get_modelmeta().custom_metadata_map[DESCRIPTION_KEY])
        return Model(
            session=session,
            name=f"captchad-{description['name']}-{description['weights_digest'][:8]}",
            symbols=description["symbols"],
            column_width_pixels=description["column_width_pixels"],
            planes=_read_planes(description),
            description=description,
        )
    # onnxruntime's own exceptions share no base class but Exception.
    except Exception as error:
        reason = " ".join(str(error).split())
        raise DependencyMissing(f"{path} can't be loaded as a model of captchad: {reason}") from error


def _read_planes(description: Mapping[str, Any]) -> int:
    # Models of releases that saw no colour do not name their only plane.
    planes = description.get("planes", GREY_PLANES)
    if planes not in {GREY_PLANES, COLOUR_PLANES}:
        raise ValueError(f"it takes {planes} planes, which this release does not prepare")
    return int(planes)


def find_packaged_model() -> Path:
    """Return the path of the packaged model."""
    return Path(str(resources.files("captchad.recognition").joinpath("models", PACKAGED_NAME)))


def find_packaged_weights() -> Path:
    """Return the path of the packaged model's unquantised weights, from which training continues."""
    return find_packaged_model().with_name(PACKAGED_WEIGHTS_NAME)
