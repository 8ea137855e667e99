"""The network: PP-OCRv6's small text recogniser, its letters taken as grey and its columns half as wide.

A stem at a quarter of the picture's size, three stages of mixer blocks (a depthwise convolution that looks around, then
two pointwise ones that think), the rows averaged away, two attention blocks along the columns, a CTC head. The shape is
that of the published weights, which `published_weights.py` reads; there are no batch statistics: theirs are folded in.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from captchad.training.alphabet import SYMBOLS
from captchad.training.recipe import NetworkShape

COLUMN_WIDTH_PIXELS = 4
"""Input pixels along the width for each step of the output."""

_ROWS_LEFT = 3
_SQUEEZE = 4
_FORWARD_GROWTH = 2
_NECK_KERNEL = 7


class Stem(nn.Module):
    """Brings a grey picture to a quarter of its size."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.halve = nn.Conv2d(1, channels, 3, stride=2, padding=1)
        self.narrow = nn.Conv2d(channels, half, 2)
        self.widen = nn.Conv2d(half, channels, 2)
        self.quarter = nn.Conv2d(2 * channels, channels, 3, stride=2, padding=1)
        self.lift = nn.Conv2d(channels, out_channels, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features at a quarter of the size."""
        halved = torch.relu(self.halve(pictures))
        framed = functional.pad(halved, (0, 1, 0, 1))
        pooled = functional.max_pool2d(framed, 2, stride=1)
        wide = torch.relu(self.widen(functional.pad(torch.relu(self.narrow(framed)), (0, 1, 0, 1))))
        return torch.relu(self.lift(torch.relu(self.quarter(torch.cat((pooled, wide), dim=1)))))


class ChannelGate(nn.Module):
    """Weighs the channels by what all of the picture shows."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // _SQUEEZE, 1)
        self.excite = nn.Conv2d(channels // _SQUEEZE, channels, 1)

    def forward(self, values: Tensor) -> Tensor:
        """Return the weighed features."""
        seen = values.mean(dim=(2, 3), keepdim=True)
        return values * functional.hardsigmoid(self.excite(torch.relu(self.squeeze(seen))))


class MixerBlock(nn.Module):
    """Looks around in each channel, then mixes the channels; `is_gated` ones weigh them in between."""

    def __init__(self, channels: int, *, is_gated: bool) -> None:
        super().__init__()
        self.look = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.gate: nn.Module = ChannelGate(channels) if is_gated else nn.Identity()
        self.grow = nn.Conv2d(channels, channels * _FORWARD_GROWTH, 1)
        self.shrink = nn.Conv2d(channels * _FORWARD_GROWTH, channels, 1)

    def forward(self, values: Tensor) -> Tensor:
        """Return as many channels of the same size."""
        looked = self.gate(self.look(values))
        mixed: Tensor = looked + self.shrink(functional.gelu(self.grow(looked)))
        return mixed


class Lowering(nn.Module):
    """Halves the height and gives more channels."""

    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(given, given, 3, stride=(2, 1), padding=1, groups=given)
        self.grow = nn.Conv2d(given, made, 1)
        self.mix = nn.Conv2d(made, made, 1)

    def forward(self, values: Tensor) -> Tensor:
        """Return half of the rows."""
        lowered: Tensor = self.mix(functional.gelu(self.grow(self.look(values))))
        return lowered


class AttentionBlock(nn.Module):
    """Lets every column look at every other one."""

    def __init__(self, channels: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.before_look = nn.LayerNorm(channels)
        self.look = nn.Linear(channels, 3 * channels)
        self.gather = nn.Linear(channels, channels)
        self.before_think = nn.LayerNorm(channels)
        self.grow = nn.Linear(channels, channels * _FORWARD_GROWTH)
        self.shrink = nn.Linear(channels * _FORWARD_GROWTH, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, columns: Tensor) -> Tensor:
        """Return columns of the same shape, (batch, steps, channels)."""
        columns = columns + self.dropout(self._attend(self.before_look(columns)))
        thought = self.shrink(functional.silu(self.grow(self.before_think(columns))))
        added: Tensor = columns + self.dropout(thought)
        return added

    def _attend(self, columns: Tensor) -> Tensor:
        batch, steps, channels = columns.shape
        parts = self.look(columns).reshape(batch, steps, 3, self.heads, channels // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        weights = (query * (channels // self.heads) ** -0.5 @ key.transpose(2, 3)).softmax(dim=3)
        gathered: Tensor = self.gather((weights @ value).transpose(1, 2).reshape(batch, steps, channels))
        return gathered


class Neck(nn.Module):
    """Columns of features to columns that know of each other."""

    def __init__(self, given: int, channels: int, shape: NetworkShape) -> None:
        super().__init__()
        self.shortcut = nn.Conv1d(given, channels, 1)
        self.enter = nn.Conv1d(given, channels, 1)
        # Dilated by two, since its weights were learned on columns twice as wide.
        self.look = nn.Conv1d(channels, channels, _NECK_KERNEL, padding=_NECK_KERNEL - 1, dilation=2, groups=channels)
        self.blocks = nn.ModuleList(
            AttentionBlock(channels, shape.heads, shape.dropout) for _ in range(shape.attention_blocks)
        )
        self.last = nn.LayerNorm(channels)

    def forward(self, columns: Tensor) -> Tensor:
        """Return (batch, steps, channels) for (batch, given, steps)."""
        shortcut = functional.silu(self.shortcut(columns))
        entered = functional.silu(self.enter(columns))
        seen = (entered + functional.silu(self.look(entered))).transpose(1, 2)
        for block in self.blocks:
            seen = block(seen)
        known: Tensor = self.last(seen) + shortcut.transpose(1, 2)
        return known


class CaptchaNetwork(nn.Module):
    """Pictures, shape (batch, 1, 48, width), to log probabilities, shape (width / 4 rounded up, batch, symbols)."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.stem = Stem(shape.stem_channels, shape.channels[0])
        stages: list[nn.Module] = []
        for number, (channels, gates) in enumerate(zip(shape.channels, shape.gates, strict=True)):
            if number > 0:
                stages.append(Lowering(shape.channels[number - 1], channels))
            stages.extend(MixerBlock(channels, is_gated=gate == "g") for gate in gates)
        self.encoder = nn.Sequential(*stages)
        self.neck = Neck(shape.channels[-1], shape.neck_channels, shape)
        self.head = nn.Linear(shape.neck_channels, len(SYMBOLS) + 1)
        self.dropout = nn.Dropout(shape.dropout)
        self.apply(_begin_even)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the log probability of the blank and each symbol at each step."""
        rows = self.encoder(self.stem(pictures))
        pooled = functional.avg_pool2d(functional.pad(rows, (0, 1, 0, 0), mode="replicate"), (_ROWS_LEFT, 2), stride=1)
        logits: Tensor = self.head(self.dropout(self.neck(pooled.squeeze(2))))
        return logits.transpose(0, 1).log_softmax(dim=2)


def _begin_even(module: nn.Module) -> None:
    # Nothing normalises what the convolutions give: with the usual beginnings it would fade from layer to layer.
    if isinstance(module, nn.Conv1d | nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        assert module.bias is not None
        nn.init.zeros_(module.bias)


def count_steps(width_pixels: int) -> int:
    """Return how many steps the network's output has for a picture of some width."""
    return -(-width_pixels // COLUMN_WIDTH_PIXELS)
