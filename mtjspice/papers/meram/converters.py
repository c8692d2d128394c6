"""CMOS that makes Gaussian numbers of uniform bits, counted in the cells of the comparison: table, sum, count, product.

As with the counted ciphers, cells switch as often as a model of their registers and gates says; wires are left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mtjspice.generative.law import Law
    from mtjspice.layout.baselines import Core

Floats = NDArray[np.float64]
Bits = NDArray[np.bool_]
Signals = dict[str, Bits]
TABLE, SUM, COUNT, POLAR = "inverse CDF", "sum of 12", "count of 64", "Box-Muller"
WORD = 8  # bits of a uniform word
SUMMED, COUNTED = 12, 64
MULTIPLIED, PRODUCTS = 16, 5  # bits of an operand; multiplications a number
_NUMBERS = 60  # that are simulated for the activity
_STEP = 1 / 32  # of the table's outcome


@dataclass(frozen=True)
class Converter:
    """``core`` makes one number of ``bits`` uniform bits; ``law`` is exact, None where it is not known.

    ``bound``: only changes of settled values are counted, so that the energy is a lower bound.
    """

    name: str
    bits: int
    core: "Core"
    law: "Law | None"
    bound: bool = False


def converters(seed: int) -> dict[str, Converter]:
    """All converters, run on random bits."""
    from mtjspice.papers.meram.exact import law_of

    rng = np.random.default_rng(seed)
    return {
        TABLE: Converter(TABLE, WORD, table(rng), table_law()),
        SUM: Converter(SUM, SUMMED * WORD, accumulator(rng), law_of(f"sum:{WORD},words={SUMMED}")),
        COUNT: Converter(COUNT, COUNTED, counter(rng), law_of(f"popcount:{COUNTED}")),
        POLAR: Converter(POLAR, MULTIPLIED, multiplications(rng), None, bound=True),
    }


def _add(name: str, a: Bits, b: Bits, c: Bits) -> Signals:
    """A full adder."""
    return {f"{name}.sum": a ^ b ^ c, f"{name}.carry": (a & b) | (c & (a ^ b))}


def _ripple(now: Signals, name: str, a: Bits, b: Bits) -> Signals:
    """Adders of words (..., bits), least significant bit first."""
    carry = now[f"{name}.carry"]
    return _add(name, a, b, np.concatenate([np.zeros_like(carry[..., :1]), carry[..., :-1]], axis=-1))


def _binary(values: NDArray[np.int64], bits: int) -> Bits:
    return (values[..., None] >> np.arange(bits) & 1).astype(np.bool_)


def _core(
    name: str, clocks: int, cells: dict[str, int], clocked: float, activity: list[dict[str, float]], depth: int,
    about: str,
) -> "Core":  # fmt: skip
    """A core that makes one number in ``clocks``; ``activity`` has changes with hazards, and settled ones."""
    from mtjspice.layout.baselines import PER_BUFFER, Core, with_clock

    buffers = cells.pop("buffer", 0)
    counts = dict(with_clock(cells, 0))
    counts["buffer"] += buffers
    clock = 2 * clocked / PER_BUFFER
    for each in activity:
        each["buffer"] = each.get("buffer", 0.0) + clock
    return Core(name, 1, clocks, counts, clocked, activity[0], activity[1], depth, about)


def _accumulated(name: str, operands: NDArray[np.int64], bits: int) -> tuple[dict[str, int], dict[str, int], int]:
    """Adder changes, with hazards and settled, and register changes, for operands [number, clock] summed from zero."""
    from mtjspice.layout.cores import switching

    before = np.cumsum(operands, axis=1) - operands
    held, added = _binary(before.ravel(), bits), _binary(operands.ravel(), bits)

    def gates(inputs: Signals) -> Callable[[Signals], Signals]:
        return lambda now: _ripple(now, name, inputs["held"], inputs["added"])

    rest = {f"{name}.{out}": np.zeros(held.shape, np.bool_) for out in ("sum", "carry")}
    hazards, settled = switching(gates, {"held": held, "added": added}, rest)
    return hazards, settled, int(np.count_nonzero(held[1:] != held[:-1]))


def accumulator(rng: np.random.Generator) -> "Core":
    """Twelve words of eight bits, one a clock: a ripple adder, a register and gates that clear it."""
    bits = int(np.ceil(np.log2(SUMMED * (2**WORD - 1) + 1)))
    words = rng.integers(0, 2**WORD, (_NUMBERS, SUMMED))
    hazards, settled, register = _accumulated("sum", words, bits)
    activity = [_per({"full_adder": sum(one.values()), "flip_flop": register, "nand": register, "inverter": register})
                for one in (hazards, settled)]  # fmt: skip
    cells = {"full_adder": bits, "flip_flop": bits, "nand": bits, "inverter": bits}
    return _core(SUM, SUMMED, cells, SUMMED * bits, activity, bits, "an adder and a register")


def counter(rng: np.random.Generator) -> "Core":
    """Ones of 64 bits, eight a clock: seven adders count them, an accumulator adds the counts."""
    from mtjspice.layout.cores import switching

    clocks, bits = COUNTED // WORD, int(np.ceil(np.log2(COUNTED + 1)))
    drawn = rng.integers(0, 2, (_NUMBERS, clocks, WORD)).astype(np.bool_)
    flat = drawn.reshape(-1, WORD)
    none = np.zeros(len(flat), np.bool_)

    def gates(inputs: Signals) -> Callable[[Signals], Signals]:
        x = inputs["x"].T
        zero = np.zeros(x.shape[1], np.bool_)

        def update(now: Signals) -> Signals:
            s = {name: now[f"{name}.sum"] for name in "abcdefg"}
            c = {name: now[f"{name}.carry"] for name in "abcdefg"}
            parts = (
                ("a", x[0], x[1], x[2]), ("b", x[3], x[4], x[5]), ("c", x[6], x[7], zero),
                ("d", s["a"], s["b"], s["c"]), ("e", c["a"], c["b"], c["c"]), ("f", s["e"], c["d"], zero),
                ("g", c["e"], c["f"], zero),
            )  # fmt: skip
            return {key: value for part in parts for key, value in _add(*part).items()}

        return update

    rest = {f"{name}.{out}": none for name in "abcdefg" for out in ("sum", "carry")}
    tree = switching(gates, {"x": flat}, rest)
    *adder, register = _accumulated("count", drawn.sum(axis=2), bits)
    activity = [
        _per({"full_adder": sum(one.values()) + sum(other.values()), "flip_flop": register, "nand": register,
              "inverter": register})
        for one, other in zip(tree, adder, strict=True)
    ]  # fmt: skip
    cells = {"full_adder": 7 + bits, "flip_flop": bits, "nand": bits, "inverter": bits}
    return _core(COUNT, clocks, cells, clocks * bits, activity, 5 + bits, "a tree of adders and an accumulator")


def quantiles() -> NDArray[np.int64]:
    """Magnitudes of the table, in steps of 1/32, for the 128 words above the median."""
    from scipy.special import ndtri

    upper = ndtri((2 ** (WORD - 1) + np.arange(2 ** (WORD - 1)) + 0.5) / 2**WORD)
    return np.asarray(np.floor(upper / _STEP), np.int64)


def table_law() -> "Law":
    """What the table makes of uniform words: sign and magnitude, half a step off zero."""
    from mtjspice.generative.law import Law

    values = (quantiles() + 0.5) * _STEP
    return Law.of(np.concatenate([-values[::-1], values]), np.full(2**WORD, 2.0**-WORD))


def table(rng: np.random.Generator) -> "Core":
    """A table as a tree of multiplexers, the first level of which is constant; nothing is shared between its bits."""
    from mtjspice.layout.cores import switching

    address_bits = WORD - 1
    entries = _binary(quantiles(), address_bits)  # [entry, output bit]; magnitudes are below 4
    address = rng.integers(0, len(entries), 20 * _NUMBERS)
    lines = _binary(address, address_bits)
    below = np.arange(len(entries) // 2)
    first = np.where(lines[:, :1, None], entries[2 * below + 1].T.ravel(), entries[2 * below].T.ravel())[:, 0]
    leaves = first.reshape(len(address), address_bits, -1)

    def gates(inputs: Signals) -> Callable[[Signals], Signals]:
        def update(now: Signals) -> Signals:
            found, level = {}, inputs["leaves"]
            for k in range(1, address_bits):
                found[f"level{k}"] = np.where(inputs["lines"][:, k, None, None], level[..., 1::2], level[..., ::2])
                level = now[f"level{k}"]
            return found

        return update

    rest = {
        f"level{k}": np.zeros((len(address), address_bits, 2 ** (address_bits - 1 - k)), np.bool_)
        for k in range(1, address_bits)
    }
    activity = switching(gates, {"leaves": leaves, "lines": lines}, rest)
    loads = [address_bits * 2 ** (address_bits - 1 - k) for k in range(1, address_bits)]
    buffers = [-(-load // 16) for load in loads]
    driven = sum(
        number * int(np.count_nonzero(lines[1:, k] != lines[:-1, k])) for k, number in enumerate(buffers, start=1)
    )
    per = [
        {name: value / 20 for name, value in _per({"multiplexer": sum(one.values()), "buffer": driven}).items()}
        for one in activity
    ]
    cells = {"multiplexer": sum(loads), "buffer": sum(buffers), "flip_flop": 0}
    return _core(TABLE, 1, cells, 0, per, address_bits, "a tree of multiplexers")


def multiplier_gates(inputs: Signals) -> Callable[[Signals], Signals]:
    """Rows of adders, each a bit higher than the one before."""
    n = MULTIPLIED
    rows = [inputs["a"] & inputs["b"][:, k : k + 1] for k in range(n)]

    def update(now: Signals) -> Signals:
        found: Signals = {}
        made = np.concatenate([rows[0][:, 1:], np.zeros((len(rows[0]), 1), np.bool_)], axis=1)
        for k in range(1, n):
            found |= _ripple(now, f"row{k}", made, rows[k])
            made = np.concatenate([now[f"row{k}.sum"][:, 1:], now[f"row{k}.carry"][:, -1:]], axis=1)
        return found

    return update


def multiplications(rng: np.random.Generator) -> "Core":
    """Five products of 16 bits: degree-two polynomials for logarithm, root, sine and cosine, and what scales them.

    Two polynomials serve a pair of numbers (2 products each), two one number each, and each is scaled once. All else,
    coefficients and additions, is left out.
    """
    from mtjspice.layout.cores import switching

    n, times = MULTIPLIED, 100
    a, b = (_binary(rng.integers(0, 2**n, times), n) for _ in range(2))
    rest = {f"row{k}.{out}": np.zeros((times, n), np.bool_) for k in range(1, n) for out in ("sum", "carry")}
    gated = sum(int(np.count_nonzero(np.diff(a & b[:, k : k + 1], axis=0))) for k in range(n))
    activity = [
        {
            "full_adder": PRODUCTS * sum(one.values()) / (times - 1),
            **dict.fromkeys(("nand", "inverter"), PRODUCTS * gated / (times - 1)),
        }
        for one in switching(multiplier_gates, {"a": a, "b": b}, rest)
    ]
    cells = {"full_adder": n * (n - 1), "nand": n * n, "inverter": n * n, "flip_flop": 0}
    return _core(POLAR, PRODUCTS, cells, 0, activity, 2 * n + n, "one multiplier, five times a number")


def _per(totals: dict[str, int]) -> dict[str, float]:
    return {name: total / _NUMBERS for name, total in totals.items()}
