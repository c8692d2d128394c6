"""How much 1/f noise of V50 an XOR of three forgives: pass rates over bias, memory and drift, and a closed form."""

from dataclasses import dataclass
from functools import lru_cache
from math import log2, log10, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from mtjspice.papers.experiment import Context
from mtjspice.papers.sections import Columns, Plate
from mtjspice.papers.stt_trng import limits
from mtjspice.papers.stt_trng.boundary import WIRINGS
from mtjspice.papers.stt_trng.columns import add, empty
from mtjspice.papers.stt_trng.devices import LANES
from mtjspice.papers.stt_trng.limits import power_of_ten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.device.chain import ChainModel

BIASES = (0.0, 0.01, 0.02, 0.04, 0.06, 0.08)
DRIFTS = (0.0, 0.01, 0.02, 0.04, 0.08, 0.16)  # of P, root mean square
MEMORIES = (0.0, 0.1)
INTERVAL, SLOWEST = 10_000, 1e7  # cycles
TESTS = ("frequency", "runs", "serial")
_BIAS, _RHO, _DRIFT, _WIRING = "bias", "memory", "1/f of P, root mean square", "wiring"
_RATE, _LAW = "pass rate", "closed form of the frequency test"
COLUMNS = (_WIRING, _RHO, _BIAS, _DRIFT, _RATE, _LAW)
Floats = NDArray[np.float64]


def model(bias: float, rho: float) -> "ChainModel":
    """A junction with P = 1/2 + bias and a correlation rho of successive bits."""
    from mtjspice.device.chain import ChainModel

    return ChainModel(np.array([(0.5 + bias) * (1 - rho)]), np.array([(0.5 - bias) * (1 - rho)]))


def octaves() -> int:
    """Processes of which the emulator's 1/f noise consists, see `mtjspice.bits.sources.emulated`."""
    return int(log2(SLOWEST / INTERVAL)) + 2


def per_decade(drift: float, rho: float) -> float:
    """Noise per decade (logit) that moves P by ``drift`` in all: near 1/2, P moves by (1 + rho) / 4 of a logit."""
    return drift * 4 / (1 + rho) / sqrt(octaves() * log10(2))


@dataclass(frozen=True)
class Law:
    """Bias that the XOR leaves, over sequences: its ``mean``, and the ``deviation`` that drift gives it."""

    mean: float
    deviation: float

    def pass_rate(self, bits: float = limits.MEGABIT) -> float:
        """Probability to pass the frequency test, with a normal law of the bias."""
        z = float(-ndtri(limits.SIGNIFICANCE / 2))
        shift, spread = 2 * self.mean * sqrt(bits), sqrt(1 + 4 * bits * self.deviation**2)
        return float(ndtr((z - shift) / spread) - ndtr((-z - shift) / spread))


@lru_cache
def _averaging(bits: int) -> tuple[Floats, Floats]:
    """Correlation of the drift between two intervals of a sequence, and how often each distance occurs in it."""
    cycles = 3 * bits / LANES
    count = max(1, round(cycles / INTERVAL))
    times = INTERVAL / 2 * 2.0 ** np.arange(octaves())
    distance = np.arange(count)
    correlation = np.exp(-INTERVAL * distance[:, None] / times).mean(axis=1)
    weight = np.where(distance == 0, count, 2.0 * (count - distance)) / count**2
    return correlation, weight


def law(wiring: str, bias: float, rho: float, drift: float, bits: int = limits.MEGABIT) -> Law:
    """Mean and deviation of the bias that remains, averaged over a sequence; drifts of junctions are independent.

    Three junctions leave 4 u1 u2 u3 of biases u = e + drift. One junction leaves a polynomial of its u alone, whose
    covariance is a sum over its derivatives (Hermite).
    """
    correlation, weight = _averaging(bits)
    covariance = drift**2 * correlation
    if wiring == "lane":
        linear, cubic = remaining(rho)
        mean = linear * bias + cubic * (bias**3 + 3 * bias * drift**2)
        slopes = (linear + 3 * cubic * (bias**2 + drift**2), 6 * cubic * bias, 6 * cubic)
        power = sum(slope**2 * covariance**k / f for k, (slope, f) in enumerate(zip(slopes, (1, 2, 6), strict=True), 1))
        return Law(mean, sqrt(max(0.0, float(weight @ power)) / LANES))
    overlaps = _overlaps()
    power = sum(
        share * (bias**2 + covariance) ** shared * bias ** (2 * (3 - shared)) for shared, share in enumerate(overlaps)
    )
    return Law(4 * bias**3, 4 * sqrt(max(0.0, float(weight @ (power - bias**6)))))


@lru_cache
def _overlaps() -> tuple[float, ...]:
    """Shares of pairs of the round robin's triples that have 0, 1, 2, 3 junctions in common."""
    triples = [{(3 * j + i) % LANES for i in range(3)} for j in range(LANES)]
    counts = np.bincount([len(a & b) for a in triples for b in triples], minlength=4)
    return tuple(float(one) for one in counts / counts.sum())


@lru_cache
def remaining(rho: float) -> tuple[float, float]:
    """Bias behind the XOR of three bits of one junction as a u + b u^3."""
    from mtjspice.bits.extractors.xor import Xor

    at = np.array([0.05, 0.1])
    left = np.array([Xor(3, "lane").predict(model(float(u), rho)).bias for u in at])
    linear, cubic = np.linalg.solve(np.stack([at, at**3], axis=1), left)
    return float(linear), float(cubic)


def drift_map(context: Context) -> Plate:
    """Pass rates of emulated sequences; each begins at another moment of its junctions' drift."""
    from mtjspice.bits.extractors.xor import Xor
    from mtjspice.bits.sources.emulated import EmulatedSource, Imperfections
    from mtjspice.bits.sp800_22.suite import run_suite

    sequences = context.effort(8, 40)
    columns = empty(COLUMNS)
    seeds = np.random.SeedSequence([context.seed, 11]).generate_state(len(MEMORIES) * len(BIASES) * len(DRIFTS))
    fields = [(rho, bias, drift) for rho in MEMORIES for bias in BIASES for drift in DRIFTS]
    for seed, (rho, bias, drift) in zip(seeds, fields, strict=True):
        passed = dict.fromkeys(("consecutive", "lane"), 0)
        flaws = Imperfections(flicker=per_decade(drift, rho), interval=INTERVAL, slowest=SLOWEST)
        for number in range(sequences):
            source = EmulatedSource(model(bias, rho), (int(seed) + number) % 2**32, LANES, flaws)
            raw = source.stream(3 * limits.MEGABIT)
            for wiring in passed:
                results = run_suite(Xor(3, wiring)(raw), tests=TESTS).results
                passed[wiring] += all(result.passed for result in results)
        for wiring, count in passed.items():
            add(columns, WIRINGS[wiring], rho, bias, drift, count / sequences,
                law(wiring, bias, rho, drift).pass_rate())  # fmt: skip
    return Plate(
        key="drifting",
        caption=(
            "Fraction of sequences of 10⁶ bits behind XOR of three that pass the frequency, runs and serial tests, over"
            f" bias and 1/f noise of {LANES} junctions; {sequences} sequences a field, each from another moment, so"
            f" that a field is good to ± {1 / sqrt(sequences):.2f}. Noise of {power_of_ten(INTERVAL)} to"
            f" {power_of_ten(SLOWEST)} cycles. Line: where half of the frequency tests fail by the closed form (normal"
            " law of the remaining bias)."
        ),
        alt=(
            "XOR of three junctions fails from a drift of P of"
            f" {limit('consecutive', 0.0):.2f} on, XOR of one junction from {limit('lane', 0.0):.2f} on, with a memory"
            f" of {MEMORIES[1]:g} from {limit('lane', MEMORIES[1]):.2f} on."
        ),
        columns=columns,
    )


def limit(wiring: str, rho: float, bias: float = 0.0) -> float:
    """Drift of P at which half of the frequency tests of 10^6 bits fail, by the closed form; 0 where all do."""
    from scipy.optimize import brentq

    def excess(drift: float) -> float:
        return law(wiring, bias, rho, drift).pass_rate() - 0.5

    return float(brentq(excess, 0.0, 0.5)) if excess(0.0) > 0 else 0.0


def draw_drifting(columns: Columns) -> "Figure":
    """Maps of pass rates: a row a wiring, a column a memory."""
    from mtjspice.reports.style import new_figure

    figure, grid = new_figure(4.8, rows=2, columns=2, sharex=True, sharey=True)
    wirings = list(dict.fromkeys(columns[_WIRING].tolist()))
    shown: Any = None
    for row, wiring in zip(grid, wirings, strict=True):
        for axis, rho in zip(row, np.unique(columns[_RHO]), strict=True):
            mine = (columns[_WIRING] == wiring) & (columns[_RHO] == rho)
            shown = _panel(axis, {name: columns[name][mine] for name in (_BIAS, _DRIFT, _RATE)})
            _contour(axis, "lane" if wiring == WIRINGS["lane"] else "consecutive", float(rho), columns)
            axis.set_title(f"{wiring}, memory {rho:g}", loc="left", fontsize=9)
    for axis in grid[-1]:
        axis.set_xlabel("bias of the raw bits")
    for axis in grid[:, 0]:
        axis.set_ylabel("1/f of P (rms)")
    figure.colorbar(shown, ax=list(grid.ravel()), label="pass rate", shrink=0.9)
    return figure


def _panel(axis: Any, data: dict[str, Any]) -> Any:
    biases, drifts = np.unique(data[_BIAS]), np.unique(data[_DRIFT])
    rates = np.zeros((len(drifts), len(biases)))
    rates[np.searchsorted(drifts, data[_DRIFT]), np.searchsorted(biases, data[_BIAS])] = data[_RATE]
    shown = axis.imshow(rates, origin="lower", vmin=0, vmax=1, cmap="cividis", aspect="auto")
    for (i, j), rate in np.ndenumerate(rates):
        axis.text(j, i, f"{rate:.2f}".rstrip("0").rstrip("."), ha="center", va="center", fontsize=7,
                  color="white" if rate < 0.6 else "black")  # fmt: skip
    axis.set_xticks(range(len(biases)), [f"{one:g}" for one in biases])
    axis.set_yticks(range(len(drifts)), [f"{one:g}" for one in drifts])
    axis.grid(visible=False)
    return shown


def _contour(axis: Any, wiring: str, rho: float, columns: Columns) -> None:
    """Where the closed form says one half, between the fields, which are not evenly apart."""
    from mtjspice.reports.style import RED

    biases, drifts = np.unique(columns[_BIAS]), np.unique(columns[_DRIFT])
    x, y = (np.linspace(0, len(known) - 1, 41) for known in (biases, drifts))
    rates = [
        [law(wiring, float(bias), rho, float(drift)).pass_rate() for bias in np.interp(x, range(len(biases)), biases)]
        for drift in np.interp(y, range(len(drifts)), drifts)
    ]
    axis.contour(x, y, rates, levels=[0.5], colors=[RED], linewidths=1.8)
