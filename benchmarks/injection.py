"""What it costs to draw random numbers of torch and JAX from bits of a source, as ratios in one run.

Usage: python benchmarks/injection.py [--repeats 5]. Bits are those of PCG64, so that what is compared is the injection.
"""

import argparse
import os
import time
from collections.abc import Callable

from mtjspice.generative.injection.jax_keys import ORDER_FLAG

os.environ.setdefault("XLA_FLAGS", ORDER_FLAG)

import jax
import torch

from mtjspice.bits.sources.generators import NumpySource
from mtjspice.generative.gaussian import InverseCdf
from mtjspice.generative.images.parameters import seeded
from mtjspice.generative.images.unet import UNet
from mtjspice.generative.injection import noise
from mtjspice.generative.injection.jax_keys import jax_noise
from mtjspice.generative.torch_threads import one_torch_thread

NUMBERS = 1_000_000


def best(work: Callable[[], object], repeats: int) -> float:
    """Shortest time of a call, s."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


@one_torch_thread()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    network = seeded(lambda: UNet(1, 24), 1).eval().requires_grad_(False)
    images, times = torch.zeros(16, 1, 28, 28), torch.zeros(16)
    works: dict[str, Callable[[], object]] = {
        "torch.randn, 10^6 numbers": lambda: torch.randn(NUMBERS),
        "torch.randn, 16 numbers": lambda: torch.randn(16),
        "U-Net, 16 images, and their noise": lambda: network(torch.randn_like(images), times),
    }
    print(f"{'work':36} {'plain (ms)':>11} {'bits':>8} {'words of 8 bits':>16}")
    for name, work in works.items():
        plain = best(work, repeats)
        with noise(NumpySource("pcg64", 1)):
            bits = best(work, repeats)
        with noise(InverseCdf(NumpySource("pcg64", 1), 8)):
            words = best(work, repeats)
        print(f"{name:36} {1e3 * plain:11.3f} {bits / plain:7.2f}x {words / plain:15.2f}x")
    draw = jax.jit(lambda key: jax.random.normal(key, (NUMBERS,)))
    plain = best(lambda: draw(jax.random.key(0)).block_until_ready(), repeats)
    key = jax_noise(NumpySource("pcg64", 1)).key()
    bits = best(lambda: draw(key).block_until_ready(), repeats)
    print(f"{'jax.random.normal, 10^6 numbers':36} {1e3 * plain:11.3f} {bits / plain:7.2f}x {'':>16}")


if __name__ == "__main__":
    main()
