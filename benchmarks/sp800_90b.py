"""Time of the ten min-entropy estimators of SP 800-90B, and of NIST's own code where it is at hand.

    python benchmarks/sp800_90b.py [--bits 1000000] [--reference-python PATH]

PATH is a Python that can import the package sp800-90b, which wraps NIST's C++ code. Prints the best of three runs in
milliseconds on one thread, and how many times longer NIST's code takes; then the total for other kinds of bits. Both
sides must agree to 1e-9.
"""

import argparse
import json
import subprocess
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.sp800_90b import predictors, statistics
from mtjspice.bits.sp800_90b.assessment import NAMES, Assessment, assess
from mtjspice.bits.sp800_90b.compression import compression
from mtjspice.bits.sp800_90b.health import HealthMonitor
from mtjspice.bits.sp800_90b.suffixes import repeats
from mtjspice.bits.sp800_90b.tuples import tuple_estimates
from mtjspice.bits.stream import BitStream

ESTIMATORS: dict[str, Callable[[NDArray[np.uint8]], object]] = {
    "most-common-value": statistics.most_common_value,
    "collision": statistics.collision,
    "markov": statistics.markov,
    "compression": compression,
    "t-tuple": lambda bits: tuple_estimates(repeats(bits)),
    "multi-most-common-in-window": predictors.multi_most_common_in_window,
    "lag": predictors.lag,
    "multi-markov-model-with-counting": predictors.multi_markov_model_with_counting,
    "lz78y": predictors.lz78y,
}

REFERENCE = """
import json, sys, time
import sp800_90b
data = sp800_90b.Data(sys.stdin.buffer.read(), 1)
names = dict(zip(sys.argv[1:], (
    "most_common", "collision", "markov", "compression", "t_tuple_and_lrs", None, "multi_most_common",
    "lag_prediction", "multi_markov", "lz78y")))
result = {}
for name, method in names.items():
    if method:
        best = float("inf")
        for _ in range(3):
            begin = time.perf_counter()
            value = getattr(data, "h_bitstring_" + method)()
            best = min(best, time.perf_counter() - begin)
        result[name] = [value, 1e3 * best]
print(json.dumps(result), file=sys.__stdout__)
"""


def timed(what: Callable[[], object]) -> float:
    """Milliseconds, the best of three runs."""
    best = float("inf")
    for _ in range(3):
        begin = time.perf_counter()
        what()
        best = min(best, time.perf_counter() - begin)
    return best * 1e3


def reference(python: str, bits: NDArray[np.uint8]) -> dict[str, tuple[float | list[float], float]]:
    command = [python, "-c", REFERENCE, *NAMES]
    done = subprocess.run(command, input=bits.tobytes(), capture_output=True, check=True)
    return json.loads(done.stdout.decode().strip().splitlines()[-1])


def check(assessment: Assessment, name: str, theirs: float | list[float]) -> None:
    names = [name] if isinstance(theirs, float) else ["t-tuple", "longest-repeated-substring"]
    for one, value in zip(names, [theirs] if isinstance(theirs, float) else theirs, strict=True):
        if abs((assessment[one].min_entropy or 0.0) - value) > 1e-9:
            raise SystemExit(f"{one}: {assessment[one].min_entropy} here, {value} in NIST's code")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--bits", type=int, default=1_000_000)
    parser.add_argument("--reference-python", metavar="PATH")
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2, options.bits, dtype=np.uint8)
    assessment = assess(bits, workers=1)  # compiles
    theirs = reference(options.reference_python, bits) if options.reference_python else {}
    print(f"{options.bits} bits of a plain generator")
    for name, estimator in ESTIMATORS.items():
        ours = timed(lambda estimator=estimator: estimator(bits))
        ratio = ""
        if name in theirs:
            check(assessment, name, theirs[name][0])
            ratio = f"{theirs[name][1]:10.1f} ms" + (f" ({theirs[name][1] / ours:.1f})" if ours > 0.1 else "")
        print(f"{name + (' and LRS' if name == 't-tuple' else ''):34}{ours:8.1f} ms{ratio}")
    kinds = {
        "all, plain generator": bits,
        "all, ones with probability 0.01": (rng.random(options.bits) < 0.01).astype(np.uint8),
        "all, alternating": np.resize(np.array([0, 1], np.uint8), options.bits),
        "all, second half stuck": np.where(np.arange(options.bits) < options.bits // 2, bits, 0).astype(np.uint8),
    }
    for kind, values in kinds.items():
        ours = timed(lambda values=values: assess(values, workers=1))
        ratio = ""
        if options.reference_python:
            total = sum(one[1] for one in reference(options.reference_python, values).values())
            ratio = f"{total:10.1f} ms ({total / ours:.1f})"
        print(f"{kind:34}{ours:8.1f} ms{ratio}")
    stream = BitStream.from_bits(bits, "pseudo-random", {})
    monitored = timed(lambda: HealthMonitor(0.9).feed(stream))
    print(f"health tests: {options.bits / monitored / 1e3:.0f} Mbit/s")


if __name__ == "__main__":
    main()
