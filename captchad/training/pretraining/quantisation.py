"""Quantises a trained model.

The pointwise convolutions of the later stages, which are most of the work, are computed in eight bits, their ranges
being those that pictures of the model's own families show; the first stage and the steps between stages suffer more
than they would save. What was rounded to eight bits can't be trained further, so the weights to go on from are kept in
sixteen.
"""

import json
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from captchad.recognition.model import DESCRIPTION_KEY
from captchad.recognition.preparation import Prepared, prepare, stack
from captchad.training.export import INPUT_NAME, write_description
from captchad.training.pictures.catalogue import load_families
from captchad.training.pictures.source import PictureSource, WeightedFamily

SEED = 515_151


class _Pictures(CalibrationDataReader):  # type: ignore[misc]
    """Hands pictures to onnxruntime one by one, as it asks for them."""

    def __init__(self, pictures: Sequence[Prepared]) -> None:
        self._left: Iterator[Prepared] = iter(pictures)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next picture, None at the end."""
        picture = next(self._left, None)
        return None if picture is None else {INPUT_NAME: stack([picture])}


def quantise(path: Path, out: Path, pictures: Sequence[Prepared]) -> None:
    """Write the model with its pointwise convolutions in eight bits; it reads a little worse, and much faster."""
    with tempfile.TemporaryDirectory(prefix="captchad-") as folder:
        plain = Path(folder) / "plain.onnx"
        quant_pre_process(str(path), str(plain), skip_symbolic_shape=True)
        description = read_description(path)
        blocks = list_late_blocks(description["recipe"]["shape"]["gates"])
        nodes = [node.name for node in onnx.load(str(plain)).graph.node if _is_pointwise(node, blocks)]
        quantize_static(
            str(plain),
            str(out),
            _Pictures(pictures),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=nodes,
            # A moving average of the pictures' extremes, not the extreme of all: outliers would waste the eight bits.
            extra_options={"CalibMovingAverage": True},
        )
    write_description(out, description)


def halve_weights(path: Path, out: Path, description: Mapping[str, Any]) -> None:
    """Write the model with its weights in sixteen bits and this description: to train on from, not to read with."""
    model = onnx.load(str(path))
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            halved = numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(halved, tensor.name))
    onnx.save(model, str(out))
    write_description(out, description)


def read_description(path: Path) -> dict[str, Any]:
    """Read what a model's file says of itself."""
    entries = {entry.key: entry.value for entry in onnx.load(str(path)).metadata_props}
    described: dict[str, Any] = json.loads(entries[DESCRIPTION_KEY])
    return described


def draw_prepared(families: Mapping[str, float], count: int, planes: int) -> list[Prepared]:
    """Draw and prepare pictures by the recipe's weights."""
    weighted = [WeightedFamily(family, families[family.name]) for family in load_families(list(families))]
    source = PictureSource(weighted, SEED)
    numbers = random.Random(SEED).sample(range(1_000_000), count)  # noqa: S311 - not for secrets
    return [prepare(source.draw(number).picture, planes=planes) for number in numbers]


def list_late_blocks(gates: Sequence[str]) -> list[int]:
    """Number the encoder's blocks after its first stage; before each later stage stands a downsampling block."""
    late: list[int] = []
    number = len(gates[0])
    for stage in gates[1:]:
        late += range(number + 1, number + 1 + len(stage))
        number += 1 + len(stage)
    return late


def _is_pointwise(node: onnx.NodeProto, blocks: Sequence[int]) -> bool:
    names = {f"/encoder/encoder.{block}/{part}/" for block in blocks for part in ("expand", "project")}
    return node.op_type == "Conv" and any(node.name.startswith(name) for name in names)
