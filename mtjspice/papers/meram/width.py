"""More bits: what a wider word gives, where its range and where its step decides, and what it costs in the circuit."""

from functools import cache
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.meram import claims, slots
from mtjspice.papers.meram.exact import law_of
from mtjspice.papers.meram.slots import CHAIN, PRODUCT, PULSES, QUANTILE, SUM, TREE, Costs
from mtjspice.papers.meram.text import percent
from mtjspice.papers.meram.width_figures import draw_formats, draw_pareto, plates
from mtjspice.papers.sections import Section

if TYPE_CHECKING:
    from mtjspice.generative.law import Law

Floats = NDArray[np.float64]
BITS = tuple(range(4, 17))
INTEGERS = (1, 2, 3)


def run(context: Context) -> Section:
    """Exact laws of all widths; energies of slots of words of several widths from ngspice."""
    costs = slots.measure(context.effort((4, 8), (4, 8, 12)))
    swept = [(bits, integer, *errors(_tree(bits, integer), 2.0**integer)) for integer in INTEGERS for bits in BITS]
    return _section(costs, swept, _pareto(costs))


def errors(law: "Law", reach: float) -> tuple[float, float]:
    """Root of the mean squared error of numbers against N(0, 1), coupled by quantiles (Wasserstein's distance W2).

    Second: the root of its part beyond ``reach``, which no number reaches.
    """
    cuts = ndtri(np.clip(np.cumsum(law.probabilities), 0, 1))
    cuts = np.concatenate([[-np.inf], cuts[:-1], [np.inf]])
    total = _squares(cuts[:-1], cuts[1:], law.values).sum()
    low = _squares(np.minimum(cuts[:-1], -reach), np.minimum(cuts[1:], -reach), law.values).sum()
    high = _squares(np.maximum(cuts[:-1], reach), np.maximum(cuts[1:], reach), law.values).sum()
    return sqrt(total), sqrt(low + high)


def _squares(a: Floats, b: Floats, value: Floats) -> Floats:
    """Integral of (x - value)^2 over the normal law from a to b."""

    def density(x: Floats) -> Floats:
        return np.exp(-(x**2) / 2) / sqrt(2 * np.pi)

    def edge(x: Floats) -> Floats:
        return np.where(np.isfinite(x), x, 0.0) * density(x)

    # from the nearer tail, so that outer cells keep their precision
    mass = np.where(a > 0, ndtr(-a) - ndtr(-b), ndtr(b) - ndtr(a))
    first, second = density(a) - density(b), mass + edge(a) - edge(b)
    return np.asarray(np.maximum(second - 2 * value * first + value**2 * mass, 0.0))


@cache
def _tree(bits: int, integer: int) -> "Law":
    return law_of(f"tree:{bits},integer={integer}")


def _best_tree(bits: int) -> "Law":
    """The tree whose number of integer bits gives the least error."""
    return min((_tree(bits, integer) for integer in INTEGERS), key=lambda law: errors(law, 1.0)[0])


def _pareto(costs: Costs) -> list[tuple[str, int, float, float, float]]:
    """Encoding, bits, energy times latency, W2, KL."""
    found = []
    for encoding, name, widest in (
        (PRODUCT, "product:{}", 16), (TREE, "", 16), (QUANTILE, "inverse-cdf:{}", 16),
        (CHAIN, "toggle:{},pulses=16", 10), (SUM, "sum:{},words=4", 10),
    ):  # fmt: skip
        for bits in range(4, widest + 1, 2):
            law = _best_tree(bits) if encoding == TREE else law_of(name.format(bits))
            energy, latency = costs.number(encoding, bits)
            reach = float(law.values[-1])
            found.append((encoding, bits, energy * latency, errors(law, reach)[0], law.distances().kl_bits))
    return found


def _section(
    costs: Costs, swept: list[tuple[int, int, float, float]], pareto: list[tuple[str, int, float, float, float]]
) -> Section:
    total = {(bits, integer): whole for bits, integer, whole, _ in swept}
    tails = {(bits, integer): beyond for bits, integer, _, beyond in swept}
    turning = {integer: turning_bits([(total[b, integer], tails[b, integer]) for b in BITS]) for integer in INTEGERS}
    best = {bits: min(INTEGERS, key=lambda integer: total[bits, integer]) for bits in BITS}
    product = {bits: divergence for encoding, bits, _, _, divergence in pareto if encoding == PRODUCT}
    energy, latency = {}, {}
    for encoding in (PRODUCT, TREE, QUANTILE, CHAIN, SUM):
        energy[encoding], latency[encoding] = costs.number(encoding, 8)
    front = _front(pareto)
    fitted = Value(value=costs.miss, unit="%", digits=2)
    findings = [
        Finding(
            key="granularity",
            quantity="error of words of 4, 8, 16 bits made by a tree, 3 integer bits",
            paper=claims.MORE_BITS,
            ours=", ".join(f"{total[bits, 3]:.2g}" for bits in (4, 8, 16)) + " standard deviations",
            status=Status.NOT_COMPARABLE,
            reason="Holds of every binary format by arithmetic, no evidence. Exact root of the mean squared error"
            " against N(0, 1): each bit halves it until the range decides.",
            assumed="words of a tree",
        ),
        Finding(
            key="product",
            quantity="KL(N, words) of independent bits, words of 4, 8, 16 bits",
            ours=", ".join(f"{product[bits]:.4f}" for bits in (4, 8, 16)) + " bit",
            status=Status.LEFT_OPEN,
            reason="The paper's claim is about range and granularity, which more bits do extend. This asks whether they"
            " bring a product law nearer to the Gaussian as well; what it lacks is dependence between its high bits.",
            assumed="sign and magnitude, 2 integer bits",
        ),
        *(
            Finding(
                key=f"turning{integer}",
                quantity=f"bits from which the range of ±{2**integer} decides, not the step",
                ours=f"{turning[integer]}" if turning[integer] else f"more than {BITS[-1]}",
                status=Status.LEFT_OPEN,
                reason=(
                    "The first width at which more than half of the squared error lies beyond the range; exact. What"
                    f" stays there: {tails[16, integer]:.2g} standard deviations."
                ),
                assumed="words of a tree",
            )
            for integer in INTEGERS
        ),
        Finding(
            key="formats",
            quantity="best number of integer bits for words of 4, 6, 8, 10, 12, 16 bits",
            ours=", ".join(str(best[bits]) for bits in (4, 6, 8, 10, 12, 16)),
            status=Status.LEFT_OPEN,
            reason=f"Least error of trees, {', '.join(map(str, INTEGERS))} integer bits tried; exact.",
            assumed="words of a tree",
        ),
        *(
            Finding(
                key=f"cost-{name}",
                quantity=f"energy and latency of a number of 8 bits, {encoding}",
                ours=f"{energy[encoding] * 1e12:.1f} pJ, {latency[encoding] * 1e9:.0f} ns",
                status=Status.LEFT_OPEN,
                reason=(
                    "From simulated slots of the selectable word, one slot for each level of the shared pulse."
                    + (f" Its table of {2**8} quantiles is not counted." if encoding == QUANTILE else "")
                    + (" Its adder is not counted." if encoding == SUM else "")
                ),
                assumed="slots of 6 ns; circuit; a pulse costs the same at every level"
                + (f"; {PULSES} pulses, 2 integer bits, reset, a slot a level" if encoding == CHAIN else ""),
            )
            for name, encoding in (
                ("product", PRODUCT), ("tree", TREE), ("quantile", QUANTILE), ("chain", CHAIN), ("sum", SUM)
            )
        ),
        Finding(
            key="fit",
            quantity="largest misfit of the energies of slots to straight lines in the number of columns",
            ours=fitted,
            status=Status.LEFT_OPEN,
            reason="Simulated for words of several widths; energies of others follow from the lines.",
            assumed="circuit",
        ),
    ]  # fmt: skip
    return Section(
        answer=(
            "More bits help words whose law can follow the Gaussian. Words of a binary tree halve their error with"
            f" every bit until the range of the format decides (±4: from {turning[2] or 'more than 16'} bits on; ±8:"
            f" {turning[3] or 'beyond 16'}). Words of independent bits (2 integer bits) stay"
            f" {min(product.values()):.3f} to {max(product.values()):.3f} bit from the Gaussian, from {min(product)} to"
            f" {max(product)} bits: their first bits decide the law.",
            "In the circuit the way to program decides the cost. The columns share one pulse, so that every"
            " level of the pulse takes a slot of its own. Words of 8 bits take"
            f" {energy[QUANTILE] * 1e12:.0f} pJ and {latency[QUANTILE] * 1e9:.0f} ns if all bits are fair,"
            f" {energy[PRODUCT] * 1e12:.0f} pJ and {latency[PRODUCT] * 1e9:.0f} ns with a probability for each bit, and"
            f" {energy[TREE] * 1e12:.0f} pJ and {latency[TREE] * 1e9:.0f} ns as a tree. A chain of {PULSES} pulses with"
            " a reset, which is how we read the paper, gives no more than independent bits do, for"
            f" {energy[CHAIN] * 1e9:.1f} nJ and {latency[CHAIN] * 1e6:.2f} us.",
            f"Not beaten in cost and error at once: {front}. Fair bits need a table of quantiles, whose cost is left"
            f" out here and which has {2**16} entries at 16 bits: with it they need not be cheapest.",
        ),
        findings=findings,
        plates=plates(swept, pareto),
        setting=(
            "Exact laws of words of 4 to 16 bits; energies of reset, write and read slots from ngspice in gf180mcu"
            f" (selectable word, card meram100, without wires), lines in columns fitted to {percent(costs.miss, 1)}."
        ),
    )


def turning_bits(found: list[tuple[float, float]]) -> int:
    """First of `BITS` at which more than half of the squared error lies beyond the range; 0 if none."""
    return next((bits for bits, (whole, tails) in zip(BITS, found, strict=True) if tails**2 > whole**2 / 2), 0)


def _front(pareto: list[tuple[str, int, float, float, float]]) -> str:
    """Encodings with a word that no other beats in cost and error."""
    kept = [
        one[0] for one in pareto
        if not any(other[2] <= one[2] and other[3] < one[3] for other in pareto)
    ]  # fmt: skip
    return ", ".join(dict.fromkeys(kept))


EXPERIMENT = Experiment(
    key="width",
    title="More bits",
    question="What do more bits and other formats give, and what do they cost in energy and time?",
    run=run,
    draw={"formats": draw_formats, "pareto": draw_pareto},
    minutes=(0.2, 0.3),
)
