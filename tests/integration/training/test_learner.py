"""The learner between a label store and a real Redis, with a network so small that it learns in seconds."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from captchad.broker.learned_models import LearnedModels
from captchad.domain.errors import DependencyMissing
from captchad.domain.learned_model import PACKAGED, find_digest
from captchad.recognition.model_shelf import MODELS_FOLDER_NAME, ModelShelf
from captchad.runtime.clock import Clock
from captchad.training.export import TrainedNetwork, export
from captchad.training.learner import Fate, Learner
from captchad.training.lesson import LEAST_RIGHT_LABELS
from captchad.training.network import CaptchaNetwork
from tests.system.learning_proof.redis_questions import RedisQuestions
from tests.unit.training.labels import KeptPicture, draw_label
from tests.unit.training.plain_pictures import SMALL_RECIPE, SMALL_SHAPE

HOST = "site.example"


@dataclass
class Labels:
    """Labels in memory, in time order."""

    kept: list[KeptPicture] = field(default_factory=list)

    def read(self, host: str) -> list[KeptPicture]:
        return self.kept if host == HOST else []

    def add(self, count: int) -> None:
        first = len(self.kept)
        self.kept += [draw_label(f"{number % 97:02}A", number) for number in range(first, first + count)]


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A model that has learned nothing."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("model") / "small.onnx"
    export(TrainedNetwork(CaptchaNetwork(SMALL_SHAPE).eval(), SMALL_RECIPE, 1, {}), path)
    return path.read_bytes()


@pytest.fixture
def labels() -> Labels:
    return Labels()


@pytest.fixture
def ask(redis_url: str, small_model: bytes) -> RedisQuestions:
    """Questions to a Redis in which the small model is the target's present one."""
    questions = RedisQuestions(redis_url)
    assert questions(lambda models: models.install(HOST, small_model, PACKAGED)) is not None
    return questions


@pytest.fixture
def learner(tmp_path: Path, labels: Labels, ask: RedisQuestions) -> Learner:
    return Learner(tmp_path, labels, ask, Clock())


def ignore(step: str) -> None:
    """Take no notice of a step."""


def test_what_reads_no_more_is_not_installed_and_not_tried_again_at_once(
    learner: Learner, labels: Labels, ask: RedisQuestions, small_model: bytes
) -> None:
    labels.add(LEAST_RIGHT_LABELS - 1)
    assert not learner.is_due(HOST)
    assert learner.learn(HOST, ignore).fate is Fate.TOO_FEW
    labels.add(1)
    assert learner.is_due(HOST)
    outcome = learner.learn(HOST, ignore)
    assert outcome.fate is Fate.NO_BETTER
    assert outcome.learned is not None
    assert (outcome.learned.comparison.pictures, outcome.learned.comparison.before) == (25, 0)
    assert ask(lambda models: models.read([HOST]))[HOST].present == find_digest(small_model)
    assert not learner.is_due(HOST)
    labels.add(LEAST_RIGHT_LABELS - 1)
    assert not learner.is_due(HOST)
    labels.add(1)
    assert learner.is_due(HOST)


def test_a_target_without_labels_is_never_due(learner: Learner) -> None:
    assert not learner.is_due("other.example")


def test_a_model_that_redis_has_lost_is_handed_on_again(
    learner: Learner, labels: Labels, ask: RedisQuestions, small_model: bytes, tmp_path: Path
) -> None:
    assert not learner.restore(HOST)
    digest = find_digest(small_model)
    shelf, choice = ModelShelf(tmp_path / MODELS_FOLDER_NAME), ask(lambda models: models.read([HOST]))[HOST]
    shelf.put(digest, small_model)
    shelf.remember(HOST, choice)
    ask(lose)
    assert learner.restore(HOST)
    assert ask(lambda models: models.fetch(HOST, digest)) == small_model
    assert not learner.restore(HOST)


def test_a_present_model_that_is_nowhere_is_named_with_the_way_out(
    learner: Learner, labels: Labels, ask: RedisQuestions
) -> None:
    labels.add(LEAST_RIGHT_LABELS)
    ask(lose_files)
    with pytest.raises(DependencyMissing, match=r"captchad learn site\.example --rollback"):
        learner.learn(HOST, ignore)


def test_a_model_that_changed_during_the_training_is_not_replaced(learner: Learner, ask: RedisQuestions) -> None:
    present = learner._find_present(HOST)
    assert ask(lambda models: models.roll_back(HOST)) is not None
    assert learner._install(HOST, b"a better model", present) is None
    assert ask(lambda models: models.read([HOST]))[HOST].present == PACKAGED


async def lose(models: LearnedModels) -> None:
    await models._broker.client.flushall()


async def lose_files(models: LearnedModels) -> None:
    client = models._broker.client
    await client.delete(*await client.keys("*:model:*"))
