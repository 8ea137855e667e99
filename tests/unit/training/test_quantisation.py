"""Models in eight and in sixteen bits, made of one in thirty-two."""

from pathlib import Path

import numpy as np
import torch

from captchad.recognition.model import load_model
from captchad.recognition.preparation import prepare
from captchad.training.export import TrainedNetwork, export
from captchad.training.network import CaptchaNetwork
from captchad.training.pretraining.quantisation import halve_weights, list_late_blocks, quantise, read_description
from captchad.training.weights import load_starting_point
from tests.unit.training.plain_pictures import SMALL_RECIPE, SMALL_SHAPE, draw_many

PICTURES = [prepare(sample.picture) for sample in draw_many(12)]


def export_network(folder: Path) -> tuple[CaptchaNetwork, Path]:
    torch.manual_seed(5)
    network, path = CaptchaNetwork(SMALL_SHAPE).eval(), folder / "model.onnx"
    export(TrainedNetwork(network, SMALL_RECIPE, 5, {}), path)
    return network, path


def test_a_quantised_model_is_smaller_and_sees_nearly_the_same(tmp_path: Path) -> None:
    _, path = export_network(tmp_path)
    out = tmp_path / "small.onnx"
    quantise(path, out, PICTURES)
    assert out.stat().st_size < path.stat().st_size
    assert read_description(out) == read_description(path)
    for whole, rounded in zip(load_model(path).run(PICTURES), load_model(out).run(PICTURES), strict=True):
        assert np.abs(np.exp(whole) - np.exp(rounded)).max() < 0.1


def test_a_training_goes_on_from_halved_weights(tmp_path: Path) -> None:
    network, path = export_network(tmp_path)
    out = tmp_path / "weights.onnx"
    halve_weights(path, out, read_description(path))
    assert out.stat().st_size < 0.7 * path.stat().st_size
    taken_up = load_starting_point(out)
    assert taken_up.description == read_description(path)
    for name, values in network.state_dict().items():
        assert torch.allclose(taken_up.network.state_dict()[name], values, atol=2e-3), name


def test_blocks_are_counted_past_the_downsampling_ones() -> None:
    assert list_late_blocks(("g--", "g-g-g-", "g-")) == [4, 5, 6, 7, 8, 9, 11, 12]
