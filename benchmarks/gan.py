"""What a thousand faces cost: latents, images, embedding, pairs, features' distances.

    python benchmarks/gan.py [--images 1000] [--generator faces] [--repeats 3]

One thread; the best of the repeats of each part, in seconds of the processor, which other work on the machine disturbs
less than seconds of the clock (in brackets). The processor sets the limit: the generator's share is the arithmetic
of its transposed convolutions, printed beside the time as GFLOP/s, as is that of a matrix product of the same library.
Needs the data "faces" and "lpips" (`mtjspice data fetch`).
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch

from mtjspice.generative.distances import frechet_distance, kernel_distance
from mtjspice.generative.gan.duplicates import duplicates, nearest
from mtjspice.generative.gan.generators import open_generator
from mtjspice.generative.gan.latent_sets import Pattern, from_bits
from mtjspice.generative.gan.lpips import Lpips, pairwise
from mtjspice.generative.mlp import one_thread

FACE = 2 * (100 * 512 * 16 + 16 * (512 * 256 * 16 + 4 * 256 * 128 * 16 + 16 * 128 * 64 * 16 + 64 * 64 * 3 * 16))
"""Floating-point operations of a face: each input place of a layer meets in * out * 16 weights."""


def best(work: Callable[[], Any], repeats: int) -> tuple[float, float, Any]:
    times = []
    for _ in range(repeats):
        start = time.process_time(), time.perf_counter()
        found = work()
        times.append((time.process_time() - start[0], time.perf_counter() - start[1]))
    return *min(times), found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--generator", default="faces")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    generator, lpips, n = open_generator(arguments.generator), Lpips(), arguments.images
    times = {}

    def part(name: str, work: Callable[[], Any]) -> Any:
        with one_thread():
            times[name], clock, found = best(work, arguments.repeats)
        print(f"{name:28} {times[name]:7.3f} s  ({clock:.3f} s)", flush=True)
        return found

    z = part("latents, lfsr:16", lambda: from_bits("lfsr:16", Pattern(), n, generator.latent_size, 8, 1))
    images = part("images", lambda: generator.images(z))
    vectors, features = part("embedding and features", lambda: lpips.embed_and_features(images))
    distances = part("all pairs", lambda: pairwise(vectors))
    part("neighbours and clusters", lambda: (nearest(distances), duplicates(distances, 0.1)))
    total = sum(times.values())
    print(f"{'together':28} {total:7.3f} s for {n} images, {1e3 * total / n:.2f} ms each")
    half = n // 2
    part("Frechet distance", lambda: frechet_distance(features[:half], features[half:]))
    part("kernel distance", lambda: kernel_distance(features[:half], features[half:]))
    torch.set_num_threads(1)
    square = torch.ones(1024, 1024)
    product, *_ = best(lambda: square @ square, 5)
    print(f"\nmatrix product, one thread: {2 * 1024**3 / product / 1e9:.0f} GFLOP/s")
    if arguments.generator == "faces":
        print(f"images: {FACE / 1e6:.0f} MFLOP each, {n * FACE / times['images'] / 1e9:.0f} GFLOP/s")


if __name__ == "__main__":
    main()
