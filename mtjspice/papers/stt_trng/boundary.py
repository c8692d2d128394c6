"""How much bias and memory an XOR of three bits forgives: measured pass rates beside closed forms."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context
from mtjspice.papers.sections import Columns, Plate
from mtjspice.papers.stt_trng import limits
from mtjspice.papers.stt_trng.columns import add, empty
from mtjspice.papers.stt_trng.devices import LANES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIRINGS = {"consecutive": "three junctions", "lane": "one junction", "sliding": "sliding window"}
BIASES = np.array([0.0, 0.02, 0.04, 0.05, 0.055, 0.06, 0.065, 0.0685, 0.072, 0.076, 0.08, 0.09])
MAP_BIASES, MAP_MEMORIES = (0.0, 0.01, 0.02, 0.04, 0.06, 0.08), (0.0, 0.003, 0.01, 0.03, 0.1, 0.2)
_RATE, _LOW, _HIGH, _SEQUENCES = "pass rate", "low", "high", "sequences"
_BIAS, _LAW, _LENGTH = "bias of the raw bits", "closed form", "bits of a test"
_WIRING, _RHO = "wiring", "correlation of the raw bits"


def against_bias(context: Context) -> Plate:
    """Fraction of sequences that pass the frequency test behind XOR of three, against the bias of the raw bits."""
    from mtjspice.bits.extractors.xor import Xor
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.bits.sp800_22.counting import frequency_p_value
    from mtjspice.statistics import wilson

    columns = empty((_LENGTH, _BIAS, _SEQUENCES, _RATE, _LOW, _HIGH, _LAW))
    for length, sequences in ((limits.MEGABIT, context.effort(40, 300)), (10 * limits.MEGABIT, context.effort(8, 30))):
        scale = limits.xor_limit(length) / limits.xor_limit()
        for number, bias in enumerate(BIASES * scale):
            source = open_source(f"emulated:fair,p={0.5 + float(bias)!r}", (context.seed + 1000 * number) % 2**32)
            passed = 0
            for _ in range(sequences):
                ones = Xor(3)(source.stream(3 * length)).ones
                passed += frequency_p_value(ones, length) >= limits.SIGNIFICANCE
            found = wilson(passed, sequences)
            law = limits.pass_rate(4 * bias**3, length)
            add(columns, length, float(bias), sequences, found.value, found.low, found.high, law)
    return Plate(
        key="boundary",
        caption=(
            "Fraction of sequences that pass the frequency test behind XOR of three bits, against the bias of the raw"
            f" bits; 95 % intervals, {context.effort(40, 300)} sequences of 10⁶ and {context.effort(8, 30)} of 10⁷ bits"
            " a point. Lines: closed form for the bias 4 e³ that the XOR leaves. Dotted: where half of them fail, also"
            " of 10⁹ bits."
        ),
        alt="Pass rates fall from 0.99 to 0 around a bias of 0.0685 for a million bits, on the closed form.",
        columns=columns,
    )


def maps(context: Context) -> Plate:
    """Pass rates of the frequency, runs and serial tests over bias and correlation, for two wirings."""
    from mtjspice.bits.extractors.xor import Xor
    from mtjspice.bits.sources.emulated import EmulatedSource
    from mtjspice.bits.sp800_22.suite import run_suite
    from mtjspice.device.chain import ChainModel

    sequences = context.effort(4, 20)
    columns = empty((_WIRING, _BIAS, _RHO, _RATE))
    for i, bias in enumerate(MAP_BIASES):
        for j, rho in enumerate(MAP_MEMORIES):
            model = ChainModel(np.array([(0.5 + bias) * (1 - rho)]), np.array([(0.5 - bias) * (1 - rho)]))
            source = EmulatedSource(model, (context.seed + 100 * i + j) % 2**32, LANES)
            passed = dict.fromkeys(("consecutive", "lane"), 0)
            for _ in range(sequences):
                raw = source.stream(3 * limits.MEGABIT)
                for wiring in passed:
                    results = run_suite(Xor(3, wiring)(raw), tests=("frequency", "runs", "serial")).results
                    passed[wiring] += all(result.passed for result in results)
            for wiring, count in passed.items():
                add(columns, WIRINGS[wiring], bias, rho, count / sequences)
    return Plate(
        key="maps",
        caption=(
            "Fraction of sequences of 10⁶ bits that pass the frequency, runs and serial tests behind XOR of three,"
            " over bias and lag-1 correlation of the bits of a junction (16 equal junctions that take turns);"
            f" {sequences} sequences a field, so a field is good to ± {1 / np.sqrt(sequences):.2f}. Left: of three"
            " junctions. Right: three bits of one junction."
        ),
        alt="XOR of three junctions forgives correlation, XOR of one junction fails with a little of bias and memory.",
        columns=columns,
    )


def crossing(law: Plate) -> tuple[tuple[float, float, float], float]:
    """Bias where 10^6 bits pass every other time: measured (low, value, high), and of the closed form.

    Maximum likelihood for the closed form with a stretched bias; limits where twice the log-likelihood falls by 3.84.
    """
    data = law.arrays()
    mine = data[_LENGTH] == limits.MEGABIT
    bias, rate, trials = data[_BIAS][mine], data[_RATE][mine], data[_SEQUENCES][mine]
    grid = np.linspace(0.85, 1.15, 601)
    likelihood = np.array([_likelihood(factor, bias, rate, trials) for factor in grid])
    kept = grid[2 * (likelihood.max() - likelihood) <= 3.84]
    at, best = limits.xor_limit(), float(grid[likelihood.argmax()])
    return (at / float(kept[-1]), at / best, at / float(kept[0])), at


def _likelihood(
    factor: float, bias: NDArray[np.float64], rate: NDArray[np.float64], trials: NDArray[np.float64]
) -> float:
    p = np.clip([limits.pass_rate(4 * (factor * one) ** 3) for one in bias], 1e-12, 1 - 1e-12)
    return float((trials * (rate * np.log(p) + (1 - rate) * np.log1p(-p))).sum())


def draw_boundary(columns: Columns) -> "Figure":
    """Pass rate against bias."""
    from mtjspice.reports.style import BLACK, BLUE, ORANGE, new_figure

    figure, grid = new_figure(2.9)
    axis = grid[0, 0]
    dense = np.linspace(0, 0.09, 300)
    for length, colour, marker in zip(np.unique(columns[_LENGTH]), (BLUE, ORANGE), "os", strict=True):
        mine = columns[_LENGTH] == length
        name = f"10$^{round(np.log10(length))}$ bits"
        axis.plot(dense, [limits.pass_rate(4 * bias**3, length) for bias in dense], color=colour, linewidth=1.0)
        axis.vlines(columns[_BIAS][mine], columns[_LOW][mine], columns[_HIGH][mine], color=colour, linewidth=1.2)
        axis.plot(columns[_BIAS][mine], columns[_RATE][mine], marker, markersize=3.5, color=colour, label=name)
    for length, name in ((1e6, "10⁶"), (1e7, "10⁷"), (1e9, "10⁹")):
        axis.axvline(limits.xor_limit(length), color=BLACK, linewidth=0.8, linestyle=":")
        axis.text(limits.xor_limit(length) + 0.0005, 1.05, name, fontsize=8)
    axis.set(xlabel="bias of the raw bits, |P - 1/2|", ylabel="pass rate, frequency test", ylim=(-0.03, 1.12))
    axis.legend(fontsize=8, loc="lower left")
    return figure


def draw_maps(columns: Columns) -> "Figure":
    """Two maps of pass rates."""
    from mtjspice.reports.style import new_figure

    figure, grid = new_figure(2.9, columns=2, sharey=True)
    biases, memories = np.unique(columns[_BIAS]), np.unique(columns[_RHO])
    for axis, wiring in zip(grid[0], dict.fromkeys(columns[_WIRING].tolist()), strict=True):
        rates = np.zeros((len(memories), len(biases)))
        mine = columns[_WIRING] == wiring
        for bias, rho, rate in zip(columns[_BIAS][mine], columns[_RHO][mine], columns[_RATE][mine], strict=True):
            rates[np.searchsorted(memories, rho), np.searchsorted(biases, bias)] = rate
        shown = axis.imshow(rates, origin="lower", vmin=0, vmax=1, cmap="cividis", aspect="auto")
        for (i, j), rate in np.ndenumerate(rates):
            axis.text(j, i, f"{rate:.2f}".rstrip("0").rstrip("."), ha="center", va="center", fontsize=7,
                      color="white" if rate < 0.6 else "black")  # fmt: skip
        axis.set_title(f"XOR of bits of {wiring}", loc="left", fontsize=9)
        axis.set_xticks(range(len(biases)), [f"{one:g}" for one in biases])
        axis.set_yticks(range(len(memories)), [f"{one:g}" for one in memories])
        axis.set_xlabel("bias of the raw bits")
        axis.grid(visible=False)
    grid[0, 0].set_ylabel("lag-1 correlation of a junction")
    figure.colorbar(shown, ax=list(grid[0]), label="pass rate", shrink=0.9)
    return figure
