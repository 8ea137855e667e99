"""The network's shapes and its ONNX."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from captchad.domain.errors import DependencyMissing
from captchad.domain.recognition import Hints
from captchad.recognition.captchad_engine import load_captchad_engine
from captchad.recognition.model import find_packaged_weights, load_model
from captchad.recognition.preparation import COLOUR_PLANES, GREY_PLANES
from captchad.training.alphabet import SYMBOLS
from captchad.training.export import INPUT_NAME, OPSET, TrainedNetwork, describe, export, write_description
from captchad.training.network import CaptchaNetwork, count_steps
from captchad.training.pretraining.published_weights import load_published
from captchad.training.recipe import NetworkShape
from captchad.training.validation import compare, read_greedily
from captchad.training.weights import load_first_network, load_starting_point
from tests.unit.training.plain_pictures import SMALL_RECIPE, SMALL_SHAPE, draw_many


@pytest.mark.parametrize("width", [64, 101, 128, 640])
def test_each_step_stands_for_four_pixels(width: int) -> None:
    network = CaptchaNetwork(SMALL_SHAPE).eval()
    with torch.no_grad():
        outputs = network(torch.zeros(2, 1, 48, width))
    assert outputs.shape == (count_steps(width), 2, len(SYMBOLS) + 1)
    assert torch.allclose(outputs.exp().sum(dim=2), torch.ones(1), atol=1e-5)


def test_the_default_network_is_small() -> None:
    parameters = sum(parameter.numel() for parameter in CaptchaNetwork(NetworkShape()).parameters())
    assert 500_000 <= parameters <= 3_100_000


def test_the_exported_model_says_what_the_network_says(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    trained = TrainedNetwork(CaptchaNetwork(SMALL_SHAPE).eval(), SMALL_RECIPE, 5, {})
    assert export(trained, path) < 1e-3
    assert onnx.load(str(path)).opset_import[0].version <= OPSET
    described = load_model(path).description
    assert described["symbols"] == SYMBOLS
    assert described["recipe_digest"] == SMALL_RECIPE.digest


def test_the_exported_model_takes_any_batch_and_width(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    export(TrainedNetwork(CaptchaNetwork(SMALL_SHAPE).eval(), SMALL_RECIPE, 5, {}), path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for batch, width in ((1, 72), (7, 333)):
        pictures = np.zeros((batch, 1, 48, width), dtype=np.float32)
        (outputs,) = session.run(None, {INPUT_NAME: pictures})
        assert outputs.shape == (count_steps(width), batch, len(SYMBOLS) + 1)


def test_a_model_that_sees_colours_is_read_with_by_the_same_engine(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    shape = replace(SMALL_SHAPE, planes=4)
    trained = TrainedNetwork(CaptchaNetwork(shape).eval(), replace(SMALL_RECIPE, shape=shape), 5, {})
    assert export(trained, path) < 1e-3
    assert load_model(path).planes == 4
    assert load_starting_point(path).shape == shape
    pictures = [np.zeros((40, 120, 3), dtype=np.uint8), draw_many(1)[0].picture]
    pictures[0][10:30, 20:100] = (255, 255, 0)
    read = load_captchad_engine(path).recognise(pictures, [Hints(), Hints()])
    assert all(0 <= one.confidence <= 1 for one in read)


def test_a_model_of_planes_that_nobody_prepares_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    export(TrainedNetwork(CaptchaNetwork(SMALL_SHAPE).eval(), SMALL_RECIPE, 5, {}), path)
    write_description(path, {**load_model(path).description, "planes": 3})
    with pytest.raises(DependencyMissing, match="3 planes"):
        load_model(path)


def test_a_model_that_names_no_planes_has_one(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    export(TrainedNetwork(CaptchaNetwork(SMALL_SHAPE).eval(), SMALL_RECIPE, 5, {}), path)
    description = dict(load_model(path).description)
    del description["planes"]
    write_description(path, description)
    assert load_model(path).planes == 1


def test_a_training_can_go_on_from_the_exported_model(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    network = CaptchaNetwork(SMALL_SHAPE).eval()
    export(TrainedNetwork(network, SMALL_RECIPE, 5, {}), path)
    taken_up = load_starting_point(path)
    assert taken_up.shape == SMALL_SHAPE
    for name, values in network.state_dict().items():
        assert torch.equal(taken_up.network.state_dict()[name], values), name


def test_the_packaged_weights_are_found_by_their_former_names() -> None:
    network = load_starting_point(find_packaged_weights()).network
    drawn = draw_many(20)
    figures = compare("plain", [one.text for one in drawn], read_greedily(network, drawn, torch.device("cpu")))
    assert figures.exact >= 0.9


def test_a_network_of_four_planes_begins_with_what_one_of_a_single_plane_has_learned() -> None:
    network = load_first_network(find_packaged_weights(), COLOUR_PLANES)
    drawn = draw_many(20)
    figures = compare("plain", [one.text for one in drawn], read_greedily(network, drawn, torch.device("cpu")))
    assert network.planes == COLOUR_PLANES
    assert figures.exact >= 0.9


def test_a_network_of_a_single_plane_does_not_begin_with_colours(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    shape = replace(SMALL_SHAPE, planes=COLOUR_PLANES)
    export(TrainedNetwork(CaptchaNetwork(shape).eval(), replace(SMALL_RECIPE, shape=shape), 5, {}), path)
    with pytest.raises(ValueError, match="4 planes"):
        load_first_network(path, GREY_PLANES)


def test_a_file_that_is_no_model_is_no_starting_point(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"rubbish")
    with pytest.raises(ValueError, match="no model of captchad"):
        load_starting_point(path)


def test_symbols_that_a_file_does_not_know_are_not_read_at_first() -> None:
    start = load_starting_point(find_packaged_weights())
    with torch.no_grad():
        [blank, *others] = start.network(torch.rand(1, start.shape.planes, 48, 4))[0, 0]
    assert set(SYMBOLS) > set(start.description["symbols"])
    for symbol, value in zip(SYMBOLS, others, strict=True):
        assert symbol in start.description["symbols"] or value < blank - 5


def test_symbols_that_a_file_has_in_another_order_keep_their_weights(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    network = CaptchaNetwork(SMALL_SHAPE).eval()
    trained = TrainedNetwork(network, SMALL_RECIPE, 5, {})
    export(trained, path)
    write_description(path, {**describe(trained), "symbols": SYMBOLS[::-1]})
    bias = load_starting_point(path).network.head.bias
    assert torch.equal(bias[1:], network.head.bias[1:].flip(0))
    assert bias[0] == network.head.bias[0]


def test_a_file_of_another_network_is_not_taken_for_the_published_weights(tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    export(TrainedNetwork(CaptchaNetwork(SMALL_SHAPE).eval(), SMALL_RECIPE, 5, {}), path)
    with pytest.raises(ValueError, match="is not the network that is known"):
        load_published(path)
