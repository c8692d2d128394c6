"""How much may P-bits and junctions differ before a trained network shows it? Where "calibration-free" ends."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.pbit import claims
from mtjspice.papers.sections import Columns, Plate, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.generative.sde.network import DropConnectNetwork
    from mtjspice.generative.sde.pairs import PairImperfections

Floats = NDArray[np.float64]

KEEP, CONDUCTANCE, LOW_TMR = "spread of q", "spread of G, TMR 65 %", "spread of G, TMR 30 %"
SIZES: Mapping[str, Sequence[float]] = {
    KEEP: (0.005, 0.01, 0.02, 0.05, 0.1, 0.2), CONDUCTANCE: (0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08),
    LOW_TMR: (0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08),
}  # fmt: skip
_FLAW, _SIZE, _DRAW, _MEAN, _DEVIATION = (
    "flaw",
    "standard deviation",
    "array",
    "error of the mean",
    "error of the scatter",
)
NONE = "ideal pairs"
_ASSUMED = "data, network and training of this project"


def flaws_of(kind: str, size: float, seed: int) -> "PairImperfections":
    """Pairs of one array that differ in one way."""
    from mtjspice.generative.sde.pairs import PairImperfections

    ideal = PairImperfections(seed=seed)
    if kind == KEEP:
        return replace(ideal, keep_spread=size)
    return replace(ideal, conductance_spread=size, tmr=0.30 if kind == LOW_TMR else ideal.tmr)


def first_beyond(sizes: Sequence[float], means: Sequence[float], limit: float) -> float:
    """Size at which the mean error first exceeds a limit, interpolated in logarithms; infinite if it never does."""
    logs, values = np.log(np.asarray(sizes)), np.asarray(means)
    above = np.flatnonzero(values > limit)
    if not above.size:
        return float("inf")
    k = int(above[0])
    if k == 0:
        return float(sizes[0])
    return float(np.exp(np.interp(limit, values[k - 1 : k + 1], logs[k - 1 : k + 1])))


def run(context: Context) -> Section:
    """One network, trained on ideal pairs; arrays whose pairs differ are drawn for every size of every flaw."""
    from mtjspice.generative.sde import regression
    from mtjspice.papers.pbit import cells

    seeds = cells.streams(context.seed, 2)
    arrays = context.effort(5, 20)
    settings = regression.Settings(context.effort(1500, 4000), context.effort(300, 1000), 2000, seeds[0] % 1000)
    network = regression.train(settings)
    noise = cells.streams(seeds[1], arrays)
    null = np.array([_errors(network, NONE, 0.0, one, settings) for one in noise])
    errors = {
        kind: np.array([[_errors(network, kind, size, one, settings) for one in noise] for size in sizes])
        for kind, sizes in SIZES.items()
    }
    ends = {kind: _limit(errors[kind], SIZES[kind], null) for kind in SIZES}
    rng = np.random.default_rng(context.seed)
    between = {kind: _resampled(errors[kind], SIZES[kind], null, rng) for kind in SIZES}
    best = regression.true_deviation(np.linspace(-1, 1, 25))
    learned = null[:, 1].mean() < 0.25 * float(best.std())

    findings = [
        Finding(
            key="ideal", quantity="error of the learned scatter, ideal pairs (root mean square)",
            paper=claims.REGRESSION,
            ours=Value(
                value=float(null[:, 1].mean()), low=float(null[:, 1].min()), high=float(null[:, 1].max()),
                kind=f"range of {arrays} draws", digits=2,
            ),
            status=Status.AGREES if learned else Status.DIFFERS,
            reason=(
                f"The true scatter goes from {best.min():.2f} to {best.max():.2f}. It agrees where the error is below a"
                " quarter of its standard deviation over the places. Data and network are ours; the paper's were not"
                " given."
            ),
            assumed=_ASSUMED,
        ),
        *(
            Finding(
                key=key, quantity=f"{label} that the error of the mean shows",
                paper=claims.CALIBRATION_FREE, ours=_value(ends[kind], between[kind]), status=Status.NOT_COMPARABLE,
                reason=reason, assumed=_ASSUMED,
            )
            for key, kind, label, reason in (
                ("keep", KEEP, "standard deviation of the keep probability between cells", (
                    "One setting for the array is enough up to this spread between cells; the experiment on states has"
                    " what junctions and transistors make. The paper says calibration-free and gives no spread."
                )),
                ("conductance", CONDUCTANCE, "relative spread of conductances at a TMR of 65 %", (
                    "6 sigma of the read margin allow 2.3 or 4.6 %: enough to store, far more than an analogue weight"
                    " takes, since a pair is a small difference of two large conductances."
                )),
                ("tmr", LOW_TMR, "relative spread of conductances at a TMR of 30 %", (
                    "At a lower TMR (a higher read voltage) the difference is smaller still against the same spread."
                )),
            )
        ),
        *(
            Finding(
                key=f"at-{k}", quantity=f"error of the mean at {what}",
                ours=_error(errors[kind][list(SIZES[kind]).index(size)][:, 0], arrays), status=Status.LEFT_OPEN,
                reason=f"Ideal pairs: {null[:, 0].mean():.3f} ({null[:, 0].min():.3f} to {null[:, 0].max():.3f}).",
                assumed=_ASSUMED,
            )
            for k, (kind, size, what) in enumerate((
                (KEEP, 0.1, "a spread of q of 0.1"), (CONDUCTANCE, 0.04, "a spread of G of 4 %, TMR 65 %"),
                (LOW_TMR, 0.04, "a spread of G of 4 %, TMR 30 %"),
            ))
        ),
    ]  # fmt: skip
    return Section(
        answer=(
            ("Drop-connect learns" if learned else "Trained as here, drop-connect does not learn")
            + " a scatter that depends on the place. A network trained on ideal pairs notices a"
            f" spread of the keep probability between cells from about {_short(ends[KEEP])} on, and one of the"
            f" conductances from about {_short(ends[CONDUCTANCE])} on (TMR 65 %) or {_short(ends[LOW_TMR])} (30 %).",
            "A read margin of 6 sigma is compatible with conductances that vary by 2 to 5 %. What stores a bit safely"
            " is no weight yet: the array would have to be measured and the network trained on it, which is a"
            " calibration.",
            "These limits are those of one small network and task; wider sums average more, deeper networks add more"
            " up.",
        ),
        findings=findings,
        plates=(_plate(errors, null),),
        setting=(
            f"y = sin(pi x) + (0.05 + 0.35 x^2) n; network of {network.pbits} pairs, {settings.training_steps} training"
            f" steps on ideal pairs; {arrays} arrays drawn for each size, {settings.passes} passes at 25 places."
        ),
    )


def _errors(network: "DropConnectNetwork", kind: str, size: float, seed: int, settings: object) -> tuple[float, float]:
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.generative.sde import regression
    from mtjspice.generative.sde.pairs import PairImperfections

    flaws = PairImperfections(seed=seed) if kind == NONE else flaws_of(kind, size, seed)
    found = regression.predict(network, open_source("pcg64", seed), settings, flaws).errors()  # type: ignore[arg-type]
    return found["mean_rms_error"], found["deviation_rms_error"]


def _limit(errors: Floats, sizes: Sequence[float], null: Floats) -> float:
    """Size at which the mean over arrays exceeds that of ideal pairs by two of their standard deviations."""
    limit = float(null[:, 0].mean() + 2 * null[:, 0].std(ddof=1))
    return first_beyond(sizes, errors[:, :, 0].mean(axis=1), limit)


def _resampled(errors: Floats, sizes: Sequence[float], null: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """95 % of that size over arrays drawn again with replacement."""
    count = len(null)
    found = []
    for _ in range(400):
        chosen = rng.integers(0, count, count)
        found.append(_limit(errors[:, chosen], sizes, null[chosen]))
    return float(np.quantile(found, 0.025, method="lower")), float(np.quantile(found, 0.975, method="higher"))


def _value(end: float, between: tuple[float, float]) -> Value | str:
    if not np.isfinite([end, *between]).all():
        return f"{_short(end)} (95 %: {_short(between[0])} to {_short(between[1])})"
    return Value(value=end, unit="%", low=between[0], high=between[1], kind="95 %", digits=2)


def _short(value: float) -> str:
    return f"{value:.2g}" if np.isfinite(value) else "beyond all sizes tried"


def _error(values: Floats, arrays: int) -> Value:
    return Value(
        value=float(values.mean()), low=float(values.min()), high=float(values.max()), kind=f"range of {arrays} arrays",
        digits=2,
    )  # fmt: skip


def _plate(errors: Mapping[str, Floats], null: Floats) -> Plate:
    rows: list[tuple[str, float, int, float, float]] = [
        (NONE, 0.0, k, float(one[0]), float(one[1])) for k, one in enumerate(null)
    ]
    rows += [
        (kind, size, k, float(one[0]), float(one[1]))
        for kind, found in errors.items()
        for size, arrays in zip(SIZES[kind], found, strict=True)
        for k, one in enumerate(arrays)
    ]
    names = (_FLAW, _SIZE, _DRAW, _MEAN, _DEVIATION)
    return Plate(
        key="errors",
        caption=(
            "Root mean square errors of the predicted mean (left) and scatter (right) of a regression by drop-connect,"
            " for arrays whose keep probabilities or conductances differ by a standard deviation. Lines: mean, bars:"
            f" range over {len(null)} drawn arrays. Grey: range of ideal pairs."
        ),
        alt="The error of the mean leaves the band of ideal pairs at spreads of tenths of a per cent to some per cent.",
        columns={key: [row[k] for row in rows] for k, key in enumerate(names)},
    )


def draw_errors(columns: Columns) -> "Figure":
    """Errors of mean and scatter against the size of each flaw."""
    from mtjspice.reports.style import BLUE, GREEN, ORANGE, new_figure

    figure, grid = new_figure(3.0, 1, 2)
    ideal = columns[_FLAW] == NONE
    for axis, what in zip(grid[0], (_MEAN, _DEVIATION), strict=True):
        band = columns[what][ideal]
        axis.axhspan(float(band.min()), float(band.max()), color="#cccccc", linewidth=0)
        for kind, colour, marker in ((KEEP, BLUE, "o"), (CONDUCTANCE, ORANGE, "s"), (LOW_TMR, GREEN, "^")):
            sizes = np.unique(columns[_SIZE][columns[_FLAW] == kind])
            values = [columns[what][(columns[_FLAW] == kind) & (columns[_SIZE] == size)] for size in sizes]
            mean = np.array([one.mean() for one in values])
            bars = np.abs([[m - one.min() for m, one in zip(mean, values, strict=True)],
                           [one.max() - m for m, one in zip(mean, values, strict=True)]])  # fmt: skip
            axis.errorbar(
                sizes * 100, mean, yerr=bars, fmt=f"{marker}-", color=colour, markersize=4, capsize=2, label=kind
            )
        axis.set(xscale="log", yscale="log", xlabel="standard deviation [%]", ylabel=what)
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=8)
    return figure


EXPERIMENT = Experiment(
    key="weights",
    title="Weights that differ",
    question="Up to which spread of cells does one setting for the whole array do for a network?",
    run=run,
    draw={"errors": draw_errors},
    minutes=(0.25, 0.6),
    modules=("torch",),
)
