"""Number formats of words, and what words that are not reset remember."""

from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.meram import claims
from mtjspice.papers.meram.gaussian_figures import MADE_FOR, RATE

if TYPE_CHECKING:
    from mtjspice.generative.encodings.toggled import ToggleWords

FORMAT = "sign and magnitude, 2 integer and 5 fraction bits"


def twos_complement(bits: int, reach: float) -> tuple[float, float]:
    """KL(N, law) in bits of the best product law of two's complement from -reach to reach; its least even marginal.

    The best product law has the marginals of the rounded N(0, 1) (Gibbs' inequality, bit by bit).
    """
    from mtjspice.generative.law import Law, product_pmf

    codes = np.arange(2**bits)
    values = ((codes + 0.5) / 2 ** (bits - 1) - 1) * reach
    cells = Law.of(values, np.full(codes.size, 1 / codes.size)).normal_cells()
    stored = codes ^ (1 << (bits - 1))  # the sign bit of two's complement is set below zero
    marginals = np.array([cells @ (stored >> k & 1) for k in range(bits)])[::-1]
    pmf = product_pmf(marginals)[stored]
    return Law.of(values, pmf).distances().kl_bits, float(np.abs(marginals - 0.5).max())


def format_findings() -> list[Finding]:
    """Independent bits in two's complement."""
    reaches = (1.0, 1.5, 2.0, 3.0, 4.0)
    found = {reach: twos_complement(8, reach) for reach in reaches}
    best = min(reaches, key=lambda reach: found[reach][0])
    return [
        Finding(
            key="format",
            quantity="KL(N, words) of the best eight independent bits in two's complement, range -4 to 4",
            paper=claims.UNIT,
            ours=Value(value=found[4.0][0], digits=2),
            status=Status.NOT_COMPARABLE,
            reason=(
                "Bit, exact. By symmetry every bit is fair (largest deviation"
                f" {max(one[1] for one in found.values()):.0e}), so that the best law is the uniform one whatever the"
                f" widths; the best of the ranges tried, {best:g}, still has {found[best][0]:.2f}. With"
                " weights of powers of two, independent bits need a sign and a magnitude to come near a Gaussian;"
                " sums and counts of bits do without. Which format the paper has is not known."
            ),
            assumed="two's complement, ranges",
        )
    ]


def memory_findings() -> list[Finding]:
    """Correlation of words without a reset."""
    from mtjspice.generative.encodings.toggled import ToggleWords
    from mtjspice.generative.law import autocorrelation

    found = []
    for key, words, name in (
        ("unreset", ToggleWords(8, MADE_FOR, reset=False), "symmetric chain"),
        ("unreset-lopsided", ToggleWords(8, MADE_FOR, reset=False, rate=RATE), f"asymmetric chain, rate {RATE:g}"),
    ):
        slowest = slowest_memory(words)
        one, ten = autocorrelation(words.matrices(), np.abs(words.values()), [1, 10], MADE_FOR)
        plain = autocorrelation(words.matrices(), words.values(), [1], MADE_FOR)[0]
        found.append(
            Finding(
                key=key,
                quantity=f"correlation of |x| of successive words without a reset, {name}",
                ours=Value(value=float(one)),
                status=Status.LEFT_OPEN,
                reason=(
                    f"Exact, {MADE_FOR} pulses from word to word; {ten:.2f} ten words later, and {plain:+.3f} for x"
                    f" itself, whose sign is renewed. The slowest bit keeps {slowest:.3f} of its memory a pulse,"
                    f" {slowest**MADE_FOR:.3f} a word."
                ),
                assumed=f"{FORMAT}; flip rates",
            )
        )
    return found


def slowest_memory(words: "ToggleWords") -> float:
    """Largest 1 - p01 - p10 of the bits of a word, for one pulse."""
    rise, fall = words.probabilities()
    return float((1 - rise - fall).max())
