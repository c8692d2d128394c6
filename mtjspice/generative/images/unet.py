"""A small U-Net that tells the noise in an image: residual blocks at 1/2 and 1/4 of the side, attention at 1/4.

After J. Ho, A. Jain and P. Abbeel, "Denoising Diffusion Probabilistic Models" (2020), reduced to what one processor
trains in minutes: pixels are folded into channels first (space to depth), so that nothing runs at the full side.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

GROUPS = 8
FREQUENCIES = 32
_EMBEDDING = 128


class UNet(nn.Module):
    """Noise in images (n, channels, side, side) at times (n,) from 0 to 1; ``side`` must be a multiple of 4.

    ``width`` is the number of feature maps at half the side, a multiple of 8; twice as many at a quarter.
    """

    def __init__(self, channels: int = 1, width: int = 24) -> None:
        super().__init__()
        if width % GROUPS:
            raise ValueError(f"width must be a multiple of {GROUPS}, not {width}")
        self.channels, self.width = channels, width
        self.register_buffer("rates", torch.exp(torch.linspace(0, math.log(1000.0), FREQUENCIES)), persistent=False)
        self.time = nn.Sequential(
            nn.Linear(2 * FREQUENCIES, _EMBEDDING), nn.SiLU(), nn.Linear(_EMBEDDING, _EMBEDDING), nn.SiLU()
        )
        self.enter = nn.Conv2d(4 * channels, width, 3, padding=1)
        self.down = nn.ModuleList([_Block(width, width), _Block(width, width)])
        self.shrink = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.middle = nn.ModuleList([_Block(2 * width, 2 * width) for _ in range(3)])
        self.attention = _Attention(2 * width)
        self.grow = nn.Conv2d(2 * width, width, 3, padding=1)
        self.up = nn.ModuleList([_Block(2 * width, width), _Block(2 * width, width)])
        self.last = nn.GroupNorm(GROUPS, width)
        self.leave = nn.Conv2d(width, 4 * channels, 3, padding=1)
        _zero(self.leave)

    def forward(self, images: Tensor, times: Tensor) -> Tensor:
        """The predicted noise, of the shape of ``images``."""
        phase = times[:, None] * self.rates * (2 * math.pi / 10)
        embedding = self.time(torch.cat([phase.sin(), phase.cos()], dim=1))
        first = self.enter(functional.pixel_unshuffle(images, 2))
        second = self.down[0](first, embedding)
        third = self.down[1](second, embedding)
        x = self.middle[0](self.shrink(third), embedding)
        x = self.middle[2](self.middle[1](self.attention(x), embedding), embedding)
        x = self.grow(functional.interpolate(x, scale_factor=2, mode="nearest"))
        x = self.up[0](torch.cat([x, third], dim=1), embedding)
        x = self.up[1](torch.cat([x, second], dim=1), embedding)
        return functional.pixel_shuffle(self.leave(functional.silu(self.last(x))), 2)


class _Block(nn.Module):
    """Two convolutions with a scale and a shift by the time between them, beside a shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first_norm, self.second_norm = nn.GroupNorm(GROUPS, inputs), nn.GroupNorm(GROUPS, outputs)
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.time = nn.Linear(_EMBEDDING, 2 * outputs)
        self.shortcut: nn.Module = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        _zero(self.second)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        scale, shift = self.time(embedding)[:, :, None, None].chunk(2, dim=1)
        hidden = self.second_norm(self.first(functional.silu(self.first_norm(x)))) * (1 + scale) + shift
        return self.shortcut(x) + self.second(functional.silu(hidden))


class _Attention(nn.Module):
    """Self-attention of four heads over all places."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(GROUPS, width)
        self.ask = nn.Conv2d(width, 3 * width, 1)
        self.answer = nn.Conv2d(width, width, 1)
        _zero(self.answer)

    def forward(self, x: Tensor) -> Tensor:
        n, width, rows, columns = x.shape
        parts = self.ask(self.norm(x)).reshape(n, 3, self.heads, width // self.heads, rows * columns)
        query, key, value = parts.permute(1, 0, 2, 4, 3)
        found = functional.scaled_dot_product_attention(query, key, value)
        return x + self.answer(found.transpose(2, 3).reshape(n, width, rows, columns))


def _zero(layer: nn.Conv2d) -> None:
    nn.init.zeros_(layer.weight)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
