"""What making, conditioning and handing out bits costs, beside NumPy and hashlib.

    python benchmarks/bits.py [--bits 1e8] [--long 1e9]

Three tables: sources and extractors in Mbit/s of their input, one core, the best of three; doubles, normal numbers and
bounded integers from `MTJBitGenerator` in memory beside numpy.random.PCG64 (ratio of times); and a long stream of
emulated bits written, conditioned and diagnosed in pieces, with the largest memory of the process. ``--long 0`` leaves
the last one out.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mtjspice.bits import files
from mtjspice.bits.adapters.numpy_generator import MTJBitGenerator
from mtjspice.bits.extractors.catalogue import open_extractor
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.bits.stream import CHUNK, BitStream

SOURCES = (
    "pcg64", "mt19937", "aes-ctr", "chacha20", "lcg:ansi-c", "lfsr:16", "emulated:fair", "emulated:fair,lanes=16",
    "emulated:fair,lanes=16,spread=0.3,walk=1e-4,flicker=0.05,heating=0.1,feedback=row",
)  # fmt: skip
EXTRACTORS = (
    ("xor:2", 1), ("xor:3", 1), ("xor:3,wiring=lane", 16), ("xor:3,wiring=sliding", 1), ("xor:3,wiring=disjoint", 1),
    ("von-neumann", 1), ("peres:8", 1), ("toeplitz:1024,outputs=850", 1), ("toeplitz:1000000,outputs=800000", 1),
    ("sha256:512", 1),
)  # fmt: skip


def best(work: Callable[[], object], repeats: int = 3) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def sources(bits: int) -> None:
    print(f"{'source':85} Mbit/s")
    for text in SOURCES:
        source = open_source(text, 1)
        source.read(1000)
        count = bits // 8 if text in ("pcg64", "mt19937", "aes-ctr", "chacha20") else bits // 80
        print(f"{text:85} {8 * count / best(lambda s=source, n=count: s.read(n)) / 1e6:6.0f}")


def extractors(bits: int) -> None:
    print(f"\n{'extractor':40} lanes  Mbit/s")
    raw = open_source("pcg64", 1).stream(bits)
    for text, lanes in EXTRACTORS:
        extractor = open_extractor(text)
        slow = text.startswith(("peres", "toeplitz:1000000"))
        part = raw[: bits // 10] if slow else raw
        stream = BitStream(part.packed, part.length, part.origin, {}, lanes)
        extractor(stream[: max(2_000_000, 16 * CHUNK)] if bits > 2_000_000 else stream)
        print(f"{text:40} {lanes:5}  {stream.length / best(lambda e=extractor, s=stream: e(s)) / 1e6:6.0f}")


def numbers() -> None:
    count = 5_000_000
    stream = open_source("pcg64", 1).stream(64 * count * 2)
    draws = {
        "random": lambda rng: rng.random(count),
        "random, float32": lambda rng: rng.random(count, np.float32),
        "standard_normal": lambda rng: rng.standard_normal(count),
        "integers(0, 1000)": lambda rng: rng.integers(0, 1000, count),
        "bytes": lambda rng: rng.bytes(8 * count),
    }
    print(f"\n{'numpy.random.Generator':25} {'PCG64 ms':>9} {'MTJBitGenerator ms':>19}  ratio")
    for name, draw in draws.items():
        theirs = best(lambda d=draw: d(np.random.Generator(np.random.PCG64(1))))
        ours = best(lambda d=draw: d(np.random.Generator(MTJBitGenerator(stream))))
        print(f"{name:25} {1e3 * theirs:9.1f} {1e3 * ours:19.1f}  {ours / theirs:5.2f}")


def long_stream(bits: int) -> None:
    print(f"\n{bits:.3g} bits, emulated:fair,lanes=16,spread=0.1, in pieces")

    def tell(what: str, start: float) -> None:
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{what:30} {time.perf_counter() - start:7.1f} s   largest memory so far {memory:6.0f} MB")

    with tempfile.TemporaryDirectory() as folder:
        raw, conditioned = Path(folder) / "raw.bin", Path(folder) / "conditioned.bin"
        start = time.perf_counter()
        source = open_source("emulated:fair,lanes=16,spread=0.1", 1)
        files.write_chunks(raw, source.chunks(bits), bits, source.empty())
        tell("generated and written", start)
        start = time.perf_counter()
        stream = files.read(raw)
        tell("mapped, SHA-256 compared", start)
        start = time.perf_counter()
        ones = stream.ones_fraction
        tell(f"ones: {ones:.6f}", start)
        start = time.perf_counter()
        files.write(open_extractor("xor:3")(stream), conditioned)
        tell("xor:3, written", start)
        start = time.perf_counter()
        ones = files.read(conditioned).ones_fraction
        tell(f"ones: {ones:.6f}", start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bits", type=float, default=1e8, help="bits of a source or an extractor")
    parser.add_argument("--long", type=float, default=1e9, help="bits of the long stream")
    options = parser.parse_args()
    sources(int(options.bits))
    extractors(int(options.bits))
    numbers()
    if options.long:
        long_stream(int(options.long))


if __name__ == "__main__":
    main()
