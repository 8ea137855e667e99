"""The training steps of one network, and its checkpoints."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from captchad.recognition.ctc import BLANK
from captchad.runtime.clock import Clock
from captchad.training.batch import Batch
from captchad.training.network import CaptchaNetwork, count_steps
from captchad.training.pretraining.averaging import WeightAverage
from captchad.training.pretraining.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from captchad.training.recipe import Recipe
from captchad.training.schedule import learning_rate_at


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one step did."""

    step: int
    loss: float
    learning_rate: float


class Trainer:
    """One network on its way through a recipe; all of its state goes into a checkpoint and comes out of one."""

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        torch.manual_seed(recipe.seed)
        self.next_batch = 0
        self.figures: dict[str, object] = {}
        self.device = device
        self._recipe = recipe
        self._network = CaptchaNetwork(recipe.shape).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = WeightAverage(self._network, recipe.schedule.average_decay)
        self._optimiser = torch.optim.AdamW(_group_parameters(self._network, recipe.schedule.weight_decay), fused=True)

    def step(self, batch: Batch) -> StepReport:
        """Learn from one batch."""
        # Dropout then depends on the step alone, so a resumed training continues as if never stopped.
        torch.manual_seed(self._recipe.seed + batch.number)
        rate = learning_rate_at(batch.number, self._recipe.schedule)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._network.train()
        loss = self._measure_loss(batch)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._network.parameters(), self._recipe.schedule.gradient_norm_limit)
        self._optimiser.step()
        self.average.follow(self._network, batch.number)
        self.next_batch = batch.number + 1
        return StepReport(batch.number, float(loss.detach()), rate)

    def save(self, folder: Path) -> None:
        """Write the checkpoint."""
        save_checkpoint(
            folder,
            Checkpoint(
                recipe=self._recipe.to_json(),
                next_batch=self.next_batch,
                network=self._network.state_dict(),
                average=self.average.network.state_dict(),
                optimiser=self._optimiser.state_dict(),
                figures=self.figures,
            ),
        )

    def resume(self, folder: Path) -> None:
        """Go on from the folder's checkpoint; ValueError where it is of another network."""
        checkpoint = load_checkpoint(folder)
        try:
            self._network.load_state_dict(checkpoint.network)
        except RuntimeError as error:
            raise ValueError(f"the checkpoint in {folder} is of another network: {error}") from error
        self.average.load(checkpoint.average)
        self._optimiser.load_state_dict(checkpoint.optimiser)
        self.next_batch, self.figures = checkpoint.next_batch, checkpoint.figures

    def start_from(self, weights: Mapping[str, Tensor]) -> None:
        """Begin with the weights of another training; ValueError where they are of another network."""
        try:
            self._network.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(f"the weights to begin with are of another network: {error}") from error
        self.average.load(self._network.state_dict())

    def _measure_loss(self, batch: Batch) -> Tensor:
        pictures = torch.from_numpy(batch.pictures).to(self.device).float()
        pictures = pictures.to(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._recipe.schedule.is_bfloat16):
            outputs = self._network(pictures)
        return nn.functional.ctc_loss(
            outputs.float(),
            torch.tensor([number for labels in batch.labels for number in labels], device=self.device),
            torch.tensor([count_steps(width) for width in batch.widths]),
            torch.tensor([len(labels) for labels in batch.labels]),
            blank=BLANK,
            zero_infinity=True,
        )


class SaveTimer:
    """Says when a checkpoint is due."""

    def __init__(self, clock: Clock, interval_seconds: float) -> None:
        self._clock = clock
        self._interval_seconds = interval_seconds
        self._saved_seconds = clock.monotonic_seconds()

    def is_due(self) -> bool:
        """Whether the interval has passed; begins the next one if so."""
        now = self._clock.monotonic_seconds()
        if now - self._saved_seconds < self._interval_seconds:
            return False
        self._saved_seconds = now
        return True


def choose_device() -> torch.device:
    """Choose the GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _group_parameters(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    # No decay of biases and of norms' scales, as usual: they hold no capacity that it could limit.
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    return [
        {"params": [parameter for parameter in parameters if parameter.ndim > 1], "weight_decay": weight_decay},
        {"params": [parameter for parameter in parameters if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
