"""The network: PP-OCRv6's small text recogniser on prepared pictures, its columns half as wide.

A stem at a quarter of the picture's size, three stages of depthwise separable blocks, average pooling over the rows,
two attention blocks along the columns, a CTC head. The shape is that of the published weights, which
`pretraining/published_weights.py` reads; there are no batch statistics: theirs are folded in.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from captchad.training.alphabet import SYMBOLS
from captchad.training.recipe import NetworkShape

COLUMN_WIDTH_PIXELS = 4
"""Input pixels along the width for each step of the output."""

_POOLED_ROWS = 3
_SQUEEZE_RATIO = 4
_EXPANSION = 2
_NECK_KERNEL = 7


class Stem(nn.Module):
    """Brings a prepared picture to a quarter of its size."""

    def __init__(self, planes: int, channels: int, out_channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.first_downsample = nn.Conv2d(planes, channels, 3, stride=2, padding=1)
        self.reduce = nn.Conv2d(channels, half, 2)
        self.expand = nn.Conv2d(half, channels, 2)
        self.second_downsample = nn.Conv2d(2 * channels, channels, 3, stride=2, padding=1)
        self.project = nn.Conv2d(channels, out_channels, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features at a quarter of the size."""
        downsampled = torch.relu(self.first_downsample(pictures))
        # One pixel more, so that kernels of two keep the size.
        padded = functional.pad(downsampled, (0, 1, 0, 1))
        pooled = functional.max_pool2d(padded, 2, stride=1)
        expanded = torch.relu(self.expand(functional.pad(torch.relu(self.reduce(padded)), (0, 1, 0, 1))))
        return torch.relu(self.project(torch.relu(self.second_downsample(torch.cat((pooled, expanded), dim=1)))))


class SqueezeExcitation(nn.Module):
    """Scales the channels by factors computed from their means over the whole picture."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // _SQUEEZE_RATIO, 1)
        self.excite = nn.Conv2d(channels // _SQUEEZE_RATIO, channels, 1)

    def forward(self, values: Tensor) -> Tensor:
        """Return the scaled features."""
        pooled = values.mean(dim=(2, 3), keepdim=True)
        return values * functional.hardsigmoid(self.excite(torch.relu(self.squeeze(pooled))))


class DepthwiseSeparableBlock(nn.Module):
    """A depthwise convolution, then two pointwise ones with a residual; `is_gated`: squeeze and excitation between."""

    def __init__(self, channels: int, *, is_gated: bool) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.squeeze_excitation: nn.Module = SqueezeExcitation(channels) if is_gated else nn.Identity()
        self.expand = nn.Conv2d(channels, channels * _EXPANSION, 1)
        self.project = nn.Conv2d(channels * _EXPANSION, channels, 1)

    def forward(self, values: Tensor) -> Tensor:
        """Return as many channels of the same size."""
        spatial = self.squeeze_excitation(self.depthwise(values))
        mixed: Tensor = spatial + self.project(functional.gelu(self.expand(spatial)))
        return mixed


class DownsamplingBlock(nn.Module):
    """Halves the height and raises the number of channels."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(in_channels, in_channels, 3, stride=(2, 1), padding=1, groups=in_channels)
        self.expand = nn.Conv2d(in_channels, out_channels, 1)
        self.project = nn.Conv2d(out_channels, out_channels, 1)

    def forward(self, values: Tensor) -> Tensor:
        """Return half of the rows."""
        downsampled: Tensor = self.project(functional.gelu(self.expand(self.depthwise(values))))
        return downsampled


class AttentionBlock(nn.Module):
    """Multi-head self-attention over the columns, then a feed-forward layer; both normalised before, and residual."""

    def __init__(self, channels: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(channels)
        self.query_key_value = nn.Linear(channels, 3 * channels)
        self.attention_output = nn.Linear(channels, channels)
        self.feed_forward_norm = nn.LayerNorm(channels)
        self.expand = nn.Linear(channels, channels * _EXPANSION)
        self.project = nn.Linear(channels * _EXPANSION, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, columns: Tensor) -> Tensor:
        """Return columns of the same shape, (batch, steps, channels)."""
        columns = columns + self.dropout(self._attend(self.attention_norm(columns)))
        forwarded = self.project(functional.silu(self.expand(self.feed_forward_norm(columns))))
        added: Tensor = columns + self.dropout(forwarded)
        return added

    def _attend(self, columns: Tensor) -> Tensor:
        batch, steps, channels = columns.shape
        parts = self.query_key_value(columns).reshape(batch, steps, 3, self.heads, channels // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        weights = (query * (channels // self.heads) ** -0.5 @ key.transpose(2, 3)).softmax(dim=3)
        attended: Tensor = self.attention_output((weights @ value).transpose(1, 2).reshape(batch, steps, channels))
        return attended


class Neck(nn.Module):
    """Sequence model over the columns: a depthwise convolution along them, then attention."""

    def __init__(self, in_channels: int, channels: int, shape: NetworkShape) -> None:
        super().__init__()
        self.shortcut = nn.Conv1d(in_channels, channels, 1)
        self.project = nn.Conv1d(in_channels, channels, 1)
        # Dilated by two, since its weights were learned on columns twice as wide.
        self.depthwise = nn.Conv1d(
            channels, channels, _NECK_KERNEL, padding=_NECK_KERNEL - 1, dilation=2, groups=channels
        )
        self.blocks = nn.ModuleList(
            AttentionBlock(channels, shape.heads, shape.dropout) for _ in range(shape.attention_blocks)
        )
        self.norm = nn.LayerNorm(channels)

    def forward(self, columns: Tensor) -> Tensor:
        """Return (batch, steps, channels) for (batch, in_channels, steps)."""
        shortcut = functional.silu(self.shortcut(columns))
        projected = functional.silu(self.project(columns))
        sequence = (projected + functional.silu(self.depthwise(projected))).transpose(1, 2)
        for block in self.blocks:
            sequence = block(sequence)
        added: Tensor = self.norm(sequence) + shortcut.transpose(1, 2)
        return added


class CaptchaNetwork(nn.Module):
    """Pictures (batch, planes, 48, width) to log probabilities, shape (width / 4 rounded up, batch, symbols)."""

    def __init__(self, shape: NetworkShape, symbols: int = len(SYMBOLS)) -> None:
        super().__init__()
        self.planes = shape.planes
        self.stem = Stem(shape.planes, shape.stem_channels, shape.channels[0])
        stages: list[nn.Module] = []
        for number, (channels, gates) in enumerate(zip(shape.channels, shape.gates, strict=True)):
            if number > 0:
                stages.append(DownsamplingBlock(shape.channels[number - 1], channels))
            stages.extend(DepthwiseSeparableBlock(channels, is_gated=gate == "g") for gate in gates)
        self.encoder = nn.Sequential(*stages)
        self.neck = Neck(shape.channels[-1], shape.neck_channels, shape)
        self.head = nn.Linear(shape.neck_channels, symbols + 1)
        self.dropout = nn.Dropout(shape.dropout)
        self.apply(_initialise)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the log probability of the blank and each symbol at each step."""
        return self.read(self.encode(pictures))

    def encode(self, pictures: Tensor) -> Tensor:
        """Return the features of each column, shape (batch, channels, steps)."""
        rows = self.encoder(self.stem(pictures))
        # Keeps the number of columns: the pooling window is two wide and moves by one.
        padded = functional.pad(rows, (0, 1, 0, 0), mode="replicate")
        return functional.avg_pool2d(padded, (_POOLED_ROWS, 2), stride=1).squeeze(2)

    def read(self, columns: Tensor) -> Tensor:
        """Return what `forward` does, of the columns' features."""
        logits: Tensor = self.head(self.dropout(self.neck(columns)))
        return logits.transpose(0, 1).log_softmax(dim=2)


def _initialise(module: nn.Module) -> None:
    # No norm follows the convolutions: with torch's default initialisation the activations would vanish with depth.
    if isinstance(module, nn.Conv1d | nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        assert module.bias is not None
        nn.init.zeros_(module.bias)


def count_steps(width_pixels: int) -> int:
    """Return how many steps the network's output has for a picture of some width."""
    return -(-width_pixels // COLUMN_WIDTH_PIXELS)
