"""The network: residual convolutions down to one row of columns, dilated context along it, a CTC head."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from captchad.training.alphabet import SYMBOLS
from captchad.training.recipe import NetworkShape

COLUMN_WIDTH_PIXELS = 4
"""Input pixels along the width for each step of the output."""

_ROWS_LEFT = 3
_STEM_KERNEL = 5


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolve(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        _begin_silent(self.second[-1])

    def forward(self, values: Tensor) -> Tensor:
        """Add what the block found to what it was given."""
        return torch.relu(values + self.second(self.first(values)))


class ContextBlock(nn.Module):
    """Two convolutions along the width, the first dilated, added to their input."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False),
            nn.BatchNorm1d(channels),
            nn.ReLU(inplace=True),
            nn.Conv1d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm1d(channels),
        )
        _begin_silent(self.inner[-1])

    def forward(self, values: Tensor) -> Tensor:
        """Add what the neighbours say to what was seen."""
        return torch.relu(values + self.inner(values))


class CaptchaNetwork(nn.Module):
    """Pictures, shape (batch, 1, 48, width), to log probabilities, shape (width / 4 rounded up, batch, symbols)."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        stages: list[nn.Module] = [_convolve(1, shape.channels[0], stride=2, kernel=_STEM_KERNEL)]
        # Only the first two stages halve the width too: two columns must be left for each of many narrow characters.
        for number, (channels, blocks) in enumerate(zip(shape.channels, shape.blocks, strict=True)):
            if number > 0:
                stride = 2 if number == 1 else (2, 1)
                stages.append(_convolve(shape.channels[number - 1], channels, stride=stride))
            stages.extend(ResidualBlock(channels) for _ in range(blocks))
        self.encoder = nn.Sequential(*stages)
        self.fold = nn.Sequential(
            nn.Conv1d(shape.channels[-1] * _ROWS_LEFT, shape.context_channels, 1, bias=False),
            nn.BatchNorm1d(shape.context_channels),
            nn.ReLU(inplace=True),
        )
        self.context = nn.Sequential(
            *(ContextBlock(shape.context_channels, dilation) for dilation in shape.context_dilations)
        )
        self.head = nn.Sequential(nn.Dropout(shape.dropout), nn.Conv1d(shape.context_channels, len(SYMBOLS) + 1, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        """Give the log probability of the blank and each symbol at each step."""
        rows = self.encoder(pictures)
        columns = self.context(self.fold(rows.flatten(1, 2)))
        logits: Tensor = self.head(columns)
        return logits.permute(2, 0, 1).log_softmax(dim=2)


def grow(network: CaptchaNetwork, weights: Mapping[str, Tensor]) -> None:
    """Take up the weights of a network that may lack the last blocks of encoder or context; ValueError for others.

    The blocks it lacked change nothing at first, so that the grown network begins where the smaller one ended.
    """
    own = network.state_dict()
    unfit = sorted(name for name, values in weights.items() if name not in own or own[name].shape != values.shape)
    if unfit:
        raise ValueError(f"the weights are of a network that this one does not continue: {', '.join(unfit[:3])}")
    network.load_state_dict(weights, strict=False)


def count_steps(width_pixels: int) -> int:
    """Give how many steps the network's output has for a picture of some width."""
    return -(-width_pixels // COLUMN_WIDTH_PIXELS)


def _begin_silent(norm: nn.Module) -> None:
    # A block that adds nothing at first trains better in a deep network, and can be added to a trained one.
    nn.init.zeros_(norm.get_parameter("weight"))


def _convolve(given: int, made: int, stride: int | tuple[int, int] = 1, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(given, made, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(made),
        nn.ReLU(inplace=True),
    )
