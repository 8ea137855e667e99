"""A running average of the network's weights, which reads better than the weights of any one step."""

import copy
from typing import Any

import torch

from captchad.training.network import CaptchaNetwork

_FIRST_STEPS = 10


class WeightAverage:
    """Follows a network; `network` is the average, always in evaluation mode."""

    def __init__(self, network: CaptchaNetwork, decay: float) -> None:
        self.network = copy.deepcopy(network).eval()
        self._decay = decay
        for parameter in self.network.parameters():
            parameter.requires_grad_(False)

    @torch.no_grad()
    def follow(self, network: CaptchaNetwork, step: int) -> None:
        """Move the average towards the network's weights of a step; early averages forget faster."""
        decay = min(self._decay, (1 + step) / (_FIRST_STEPS + step))
        # All at once: one by one, a graphics card would spend longer on this than on a step.
        torch._foreach_lerp_(list(self.network.parameters()), list(network.parameters()), 1 - decay)

    def load(self, state: dict[str, Any]) -> None:
        """Restore a saved average."""
        self.network.load_state_dict(state)
