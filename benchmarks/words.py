"""Noise words a second of each encoding, beside NumPy's standard normal numbers from PCG64 in the same run.

    python benchmarks/words.py [--numbers 2e6]

Bits come from numpy.random.PCG64. Prints a table: raw bits a number, millions of numbers a second of processor time
(best of three), and how many times as long as NumPy's they take.
"""

import argparse
import time
from collections.abc import Callable

from mtjspice.bits.sources.catalogue import open_source
from mtjspice.generative.encodings.catalogue import open_noise
from mtjspice.generative.gaussian import NumpyGaussian

WORDS = (
    ("inverse-cdf:8", 1), ("inverse-cdf:12", 1), ("tree:8", 1), ("tree:8,code=sign", 1), ("tree:16", 2),
    ("tree:8,dp=0.01,spread=0.05,rho=0.3,drift=1e-5,lanes=16", 1), ("product:8", 1), ("sum:8,words=12", 2),
    ("popcount:64", 1), ("toggle:8,pulses=16", 10),
)  # fmt: skip


def best(work: Callable[[], object], repeats: int = 3) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numbers", type=float, default=2e6, help="numbers of a run, fewer of slow encodings")
    count = int(parser.parse_args().numbers)
    numpy = NumpyGaussian(1)
    reference = best(lambda: numpy.normal((count,))) / count
    print(f"{'noise word':58} bits/number    M/s  times NumPy's")
    print(f"{'numpy.random.PCG64, standard_normal':58} {'':>11} {1e-6 / reference:6.1f} {1:>14.2f}")
    for text, fewer in WORDS:
        noise = open_noise(text, open_source("pcg64", 1))
        noise.normal((100,))  # compiles
        each = best(lambda n=noise, k=count // fewer: n.normal((k,))) / (count // fewer)
        print(f"{text:58} {noise.bits_per_number or 0:11.2f} {1e-6 / each:6.1f} {each / reference:14.2f}")


if __name__ == "__main__":
    main()
