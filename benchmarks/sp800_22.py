"""What the SP 800-22 suite costs, test by test, beside NIST's own C code or numpy's Fourier transform.

    python benchmarks/sp800_22.py [--bits 1000000 10000000] [--repeat 5] [--reference DIR]

Prints milliseconds of one core, the best of some runs; the total is one `run_suite` of a packed stream, its unpacking
included. DIR holds the compiled Python module sp80022suite, which wraps NIST's C code unchanged:

    pip install --no-deps --target DIR sp80022suite

Each of its tests then runs in turn with ours, its p-values are compared (it gives the smallest of several), and
the last column says how many times longer it takes. Without it the peer is numpy.fft.rfft alone.
"""

import argparse
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.bits.sp800_22.suite import NAMES, Settings, run_suite
from mtjspice.bits.sp800_22.templates import aperiodic_templates
from mtjspice.bits.stream import BitStream

SETTINGS = Settings()
# names and parameters of the reference module's functions
REFERENCE: dict[str, tuple[str, tuple[int, ...]]] = {
    "frequency": ("frequency", ()),
    "block-frequency": ("block_frequency", (SETTINGS.block_frequency_block,)),
    "cumulative-sums": ("cumulative_sums", ()),
    "runs": ("runs", ()),
    "longest-run": ("longest_run_of_ones", ()),
    "rank": ("rank", ()),
    "dft": ("discrete_fourier_transform", ()),
    "non-overlapping-template": ("non_overlapping_template_matchings", (SETTINGS.non_overlapping_template,)),
    "overlapping-template": ("overlapping_template_matchings", (SETTINGS.overlapping_template,)),
    "universal": ("universal", ()),
    "approximate-entropy": ("approximate_entropy", (SETTINGS.approximate_entropy_block,)),
    "random-excursions": ("random_excursions", ()),
    "random-excursions-variant": ("random_excursions_variant", ()),
    "serial": ("serial", (SETTINGS.serial_block,)),
    "linear-complexity": ("linear_complexity", (SETTINGS.linear_complexity_block,)),
}


def timed(what: Callable[[], object], repeat: int) -> float:
    """Milliseconds, the best of some runs."""
    best = math.inf
    for _ in range(repeat):
        begin = time.perf_counter()
        what()
        best = min(best, time.perf_counter() - begin)
    return best * 1e3


def write_templates(folder: Path) -> None:
    """Write the file of templates that the reference reads."""
    (folder / "templates").mkdir()
    width = SETTINGS.non_overlapping_template
    lines = (" ".join(format(word, f"0{width}b")) for word in aperiodic_templates(width).tolist())
    (folder / "templates" / f"template{width}").write_text("\n".join(lines) + "\n", encoding="ascii")


def reference_time(module: Any, name: str, bits: bytes, ours: tuple[float, ...]) -> float:
    """Milliseconds of one run of the reference; says so if its p-value is another."""
    function, parameters = REFERENCE[name]
    found: list[float] = []
    elapsed = timed(lambda: found.append(getattr(module, function)(*parameters, bits)), 1)
    if ours and abs(min(ours) - found[0]) > 1e-6:
        print(f"{name}: {found[0]} there, {min(ours)} here")
    return elapsed


def measure(length: int, repeat: int, module: Any) -> None:
    bits = np.random.default_rng(1).integers(0, 2, length, dtype=np.uint8)
    stream = BitStream.from_bits(bits, "pseudo-random", {})
    content = bits.tobytes()
    suite = run_suite(stream, constants="sts-2.1.2")
    peer = "reference" if module else "numpy rfft"
    print(f"\n{length} bits, {suite.p_value_count} p-values")
    print(f"{'':28}{'ms':>10}{peer:>14}{'ratio':>10}")
    total = 0.0
    unpacking = timed(stream.bits, repeat)
    print(f"{'unpacking':28}{unpacking:10.2f}")
    for name in NAMES:
        ours = timed(lambda name=name: run_suite(stream, tests=[name]), repeat) - unpacking
        line = f"{name:28}{ours:10.2f}"
        if module:
            theirs = reference_time(module, name, content, suite[name].p_values)
            total += theirs
            line += f"{theirs:14.2f}{theirs / ours:10.1f}"
        elif name == "dft":
            theirs = timed(lambda: np.fft.rfft(2.0 * bits - 1), repeat)
            line += f"{theirs:14.2f}{theirs / ours:10.2f}"
        print(line)
    ours = timed(lambda: run_suite(stream), repeat)
    print(f"{'run_suite':28}{ours:10.2f}" + (f"{total:14.2f}{total / ours:10.1f}" if module else ""))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--bits", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--reference", type=Path, help="folder of the compiled module sp80022suite")
    arguments = parser.parse_args()
    module = None
    if arguments.reference:
        sys.path.append(str(arguments.reference.resolve()))
        import sp80022suite as module
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        write_templates(Path(folder))
        print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
        for length in arguments.bits:
            measure(length, arguments.repeat, module)


if __name__ == "__main__":
    main()
