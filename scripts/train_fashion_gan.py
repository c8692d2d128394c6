"""Train the class-conditional generator of garments and write its arrays.

    mtjspice data fetch fashion-mnist
    python scripts/train_fashion_gan.py [--steps 4000] [--seed 1] [--out models/networks/fashion_gan.npz]

The discriminator is spectrally normalised (T. Miyato et al. 2018) with a projection of the class (T. Miyato and
M. Koyama 2018); hinge loss; Adam. What is written is the exponential average of the generator's weights, with the
statistics of its batch normalisation over 4,000 latents folded into scales and shifts. One thread; some ten minutes.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from mtjspice.generative.data import fashion as data
from mtjspice.generative.gan import fashion

BATCH, AVERAGE, RATE_G, RATE_D, BETAS = 64, 0.999, 2e-4, 4e-4, (0.5, 0.999)
EPSILON = 1e-5  # of the batch normalisation
CLASSES = len(fashion.CLASSES)


def drawn(rng: torch.Generator, *shape: int, deviation: float) -> nn.Parameter:
    return nn.Parameter(deviation * torch.randn(shape, generator=rng))


class Generator(nn.Module):
    """The weights of mtjspice.generative.gan.fashion, with batch statistics between the layers."""

    def __init__(self, rng: torch.Generator) -> None:
        super().__init__()
        self.weights = nn.ParameterDict({
            name.replace(".", "_"): (
                drawn(rng, *shape, deviation=0.05 if name.startswith("dense") else 0.03)
                if name.endswith("weight")
                else nn.Parameter(torch.ones(shape) if name.startswith("scale") else torch.zeros(shape))
            )
            for name, shape in fashion.SHAPES.items()
        })  # fmt: skip

    def forward(self, z: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        return self.pictures_and_arrays(z, classes)[0]

    def pictures_and_arrays(
        self, z: torch.Tensor, classes: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Images, and the arrays with the statistics of this batch in the scales and shifts."""
        arrays = {name: self.weights[name.replace(".", "_")] for name in fashion.SHAPES}
        h = functional.linear(z, arrays["dense.weight"], arrays["dense.bias"]).view(-1, fashion.WIDTH, 7, 7)
        for side, up in (("7", "up14.weight"), ("14", "up28.weight"), ("28", None)):
            mean, variance = h.mean((0, 2, 3)), h.var((0, 2, 3), unbiased=False)
            scale = arrays[f"scale{side}"] / torch.sqrt(variance + EPSILON)
            shift = arrays[f"shift{side}"] - mean * scale
            arrays |= {f"scale{side}": scale, f"shift{side}": shift}
            h = torch.relu(h * scale[classes][:, :, None, None] + shift[classes][:, :, None, None])
            if up:
                h = functional.conv_transpose2d(h, arrays[up], stride=2, padding=1)
        return torch.tanh(functional.conv2d(h, arrays["out.weight"], arrays["out.bias"], padding=1)), arrays


class Normalised(nn.Module):
    """A weight divided by its largest singular value, found by one power iteration a step."""

    def __init__(self, rng: torch.Generator, *shape: int, deviation: float) -> None:
        super().__init__()
        self.weight = drawn(rng, *shape, deviation=deviation)
        self.u = functional.normalize(torch.randn(shape[0], generator=rng), dim=0)

    def forward(self) -> torch.Tensor:
        matrix = self.weight.flatten(1)
        with torch.no_grad():
            v = functional.normalize(matrix.T @ self.u, dim=0)
            self.u = functional.normalize(matrix @ v, dim=0)
        return self.weight / (self.u @ matrix @ v)


class Discriminator(nn.Module):
    """Three convolutions, then a linear score and the projection on an embedding of the class."""

    def __init__(self, rng: torch.Generator, width: int = 16) -> None:
        super().__init__()
        w = width
        self.first = Normalised(rng, w, 1, 4, 4, deviation=0.1)
        self.second = Normalised(rng, 2 * w, w, 4, 4, deviation=0.05)
        self.third = Normalised(rng, 4 * w, 2 * w, 3, 3, deviation=0.05)
        self.score = Normalised(rng, 1, 4 * w * 49, deviation=0.02)
        self.projection = Normalised(rng, CLASSES, 4 * w * 49, deviation=0.02)
        self.biases = nn.ParameterList([torch.zeros(w), torch.zeros(2 * w), torch.zeros(4 * w), torch.zeros(1)])

    def forward(self, x: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        first, second, third, last = self.biases
        x = functional.leaky_relu(functional.conv2d(x, self.first(), first, 2, 1), 0.1)
        x = functional.leaky_relu(functional.conv2d(x, self.second(), second, 2, 1), 0.1)
        x = functional.leaky_relu(functional.conv2d(x, self.third(), third, 1, 1), 0.1).flatten(1)
        return (functional.linear(x, self.score()) + last)[:, 0] + (self.projection()[classes] * x).sum(1)


def train(steps: int, seed: int) -> dict[str, np.ndarray]:
    rng = torch.Generator().manual_seed(seed)
    images = data.load("train")
    pixels, labels = torch.tensor(images.pixels), torch.tensor(images.classes)
    generator, discriminator = Generator(rng), Discriminator(rng)
    average = Generator(torch.Generator().manual_seed(seed))
    average.load_state_dict(generator.state_dict())
    step_g = torch.optim.Adam(generator.parameters(), RATE_G, BETAS)
    step_d = torch.optim.Adam(discriminator.parameters(), RATE_D, BETAS)
    start = time.perf_counter()

    def latents(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.randn(count, fashion.LATENT, generator=rng), torch.randint(CLASSES, (count,), generator=rng)

    for step in range(steps):
        chosen = torch.randint(len(pixels), (BATCH,), generator=rng)
        real, real_classes = pixels[chosen].float() / 127.5 - 1, labels[chosen]
        z, classes = latents(BATCH)
        with torch.no_grad():
            made = generator(z, classes)
        loss = functional.relu(1 - discriminator(real, real_classes)).mean()
        loss = loss + functional.relu(1 + discriminator(made, classes)).mean()
        step_d.zero_grad()
        loss.backward()
        step_d.step()
        z, classes = latents(BATCH)
        gain = -discriminator(generator(z, classes), classes).mean()
        step_g.zero_grad()
        gain.backward()
        step_g.step()
        with torch.no_grad():
            keep = min(AVERAGE, (step + 1) / (step + 10))
            for kept, new in zip(average.parameters(), generator.parameters(), strict=True):
                kept.lerp_(new, 1 - keep)
        if step % 250 == 249:
            print(f"{step + 1}  {loss.item():.3f}  {gain.item():.3f}  {time.perf_counter() - start:.0f} s", flush=True)
    with torch.no_grad():
        z, classes = latents(4000)
        pictures, arrays = average.pictures_and_arrays(z, classes)
        again = fashion.images(arrays, z[:100], classes[:100])
        assert torch.allclose(pictures[:100], again, atol=1e-4), "the package's network is not the one that was trained"
        return {name: array.numpy().copy() for name, array in arrays.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("models/networks/fashion_gan.npz"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arrays = train(arguments.steps, arguments.seed)
    about = {
        "network": "class-conditional generator of garments, mtjspice.generative.gan.fashion",
        "data": "Fashion-MNIST, 60,000 training images (H. Xiao, K. Rasul and R. Vollgraf 2017)",
        "licence": "MIT (Zalando SE)",
        "script": "scripts/train_fashion_gan.py",
        "steps": arguments.steps,
        "batch": BATCH,
        "seed": arguments.seed,
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(arguments.out, about=np.array(json.dumps(about)), **arrays)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
