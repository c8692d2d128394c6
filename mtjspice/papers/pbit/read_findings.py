"""What the experiment on reading found: inputs of the card, margins, and misreads."""

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.findings import Finding, Status, Value, counted
from mtjspice.papers.pbit import claims
from mtjspice.papers.pbit.windows import digits_of

if TYPE_CHECKING:
    from mtjspice.statistics import Proportion

Floats = NDArray[np.float64]

_FITTED = "The card was made for this number, so that it is an input here and no evidence."


def spreads_of_margin(sigmas: float, tmr: float) -> tuple[float, float]:
    """Relative spread of one conductance if a step dG is ``sigmas`` deviations of a pair (P, P), or twice as many."""
    step = 1 - 1 / (1 + tmr)
    return step / sigmas / sqrt(2), step / (2 * sigmas) / sqrt(2)


@dataclass(frozen=True, eq=False)
class Found:
    """Levels (V) by state and draw at ``volts`` on the junction, misreads, and the chance to flip."""

    levels: dict[str, Floats]
    volts: float
    wrong: "Proportion"
    reads: "Proportion"
    disturb: list[tuple[str, float, float, float]]
    step_of_pair: float

    @property
    def draws(self) -> int:
        """Draws of the transistors for each state."""
        return len(self.levels["P, P"])

    @property
    def step(self) -> float:
        """Step between neighbouring states, V."""
        return step_of(self.levels)

    @property
    def scatter(self) -> float:
        """Standard deviation of a level over columns, V."""
        return float(np.sqrt(np.mean([one.var(ddof=1) for one in self.levels.values()])))

    @property
    def alone(self) -> float:
        """Step over scatter."""
        return self.step / self.scatter

    @property
    def of_column(self) -> float:
        """Step to the column's own zero over its standard deviation."""
        steps = np.concatenate([
            self.levels["P, AP"] - self.levels["P, P"], self.levels["P, P"] - self.levels["AP, P"]
        ])  # fmt: skip
        return float(steps.mean() / steps.std(ddof=1))

    @property
    def relative(self) -> float:
        """Half of the 95 % interval of a standard deviation; the states of a column share its offset."""
        return 1.96 / sqrt(2 * (self.draws - 1))

    def limited(self, ratio: float) -> Value:
        """A step over a standard deviation, with its limits."""
        low, high = ratio * (1 - self.relative), ratio * (1 + self.relative)
        return Value(value=ratio, low=low, high=high, kind="95 %", digits=2)

    def with_junctions(self, spread: float) -> float:
        """`alone` with what a relative spread of both conductances adds."""
        return self.step / sqrt(self.scatter**2 + (self.step * spread * sqrt(2.0) / self.step_of_pair) ** 2)


def step_of(levels: dict[str, Floats]) -> float:
    """Step between neighbouring states, V."""
    return float(levels["P, AP"].mean() - levels["AP, P"].mean()) / 2


def spreads() -> tuple[float, float, float]:
    """TMR at 200 mV, and the looser and stricter spread behind the paper's margin."""
    from mtjspice.device import derived
    from mtjspice.papers.pbit import cells

    tmr = float(derived.tmr(cells.card(), claims.TMR_READ_VOLTAGE))
    return (tmr, *spreads_of_margin(claims.MARGIN_SIGMAS, tmr))


def inputs() -> list[Finding]:
    """What the card was made for."""
    from mtjspice.papers.pbit import cells

    tmr_at, _, _ = spreads()
    return [
        Finding(
            key="tmr", quantity="TMR at 200 mV", paper=claims.TMR_ARRAY, ours=Value(value=tmr_at, unit="%"),
            status=Status.NOT_COMPARABLE, reason=_FITTED,
        ),
        Finding(
            key="standalone", quantity="TMR at low voltage", paper=claims.TMR_STANDALONE,
            ours=Value(value=cells.card().tmr, unit="%"), status=Status.NOT_COMPARABLE, reason=_FITTED,
        ),
    ]  # fmt: skip


def margins(found: Found) -> list[Finding]:
    """Margins of the three states."""
    tmr_at, loose, strict = spreads()
    return [
        Finding(
            key="margin", quantity="margin of a step of the pair, transistors alone", paper=claims.MARGIN,
            ours=found.limited(found.alone),
            status=Status.NOT_COMPARABLE,
            reason=(
                "Step between neighbouring states by its standard deviation over draws of the transistors, at the bit"
                " lines of a column with one row. The paper does not say whether 6 sigma is between states or to"
                f" either side of a threshold, nor what varies; with junctions that vary by {strict:.1%} or {loose:.1%}"
                f" it is {found.with_junctions(strict):.1f} or {found.with_junctions(loose):.1f} here."
            ),
            assumed="read-out of this project in gf180mcu; junctions of equal spread in P and AP",
        ),
        Finding(
            key="calibrated", quantity="the same for a column whose zero is calibrated",
            ours=found.limited(found.of_column),
            status=Status.LEFT_OPEN,
            reason=(
                "Step to the zero of the same column by its standard deviation over columns: most of the scatter is an"
                " offset that all states of a column share, and a calibration takes it out."
            ),
            assumed="read-out of this project in gf180mcu",
        ),
        Finding(
            key="spread", quantity="spread of one junction's conductance behind 6 sigma",
            ours=f"{loose:.1%} (a step is 6 sigma) or {strict:.1%} (6 sigma to either side)", status=Status.LEFT_OPEN,
            reason=(
                f"At a TMR of {tmr_at:.0%} a step is {1 - 1 / (1 + tmr_at):.3f} of G_P, and a pair has sqrt(2) of the"
                " spread of one junction. Margins are of single pairs: in a sum of many rows the errors add."
            ),
            assumed="equal relative spread in both states",
        ),
    ]  # fmt: skip


def misreads(found: Found) -> list[Finding]:
    """Columns and cells misread, and the chance that a read flips a junction."""
    return [
        Finding(
            key="states", quantity="columns that take a state for another, thresholds midway, transistors alone",
            ours=counted(found.wrong),
            status=Status.LEFT_OPEN,
            reason="Thresholds are those of the mean column; one comparator, as here, tells the sign of a sum only.",
            assumed="read-out of this project in gf180mcu; no spread of the junctions",
        ),
        Finding(
            key="reads", quantity="wrong reads of a cell of two complementary junctions", ours=counted(found.reads),
            status=Status.LEFT_OPEN,
            reason="Its two states only: the states of weight 0 give a latch nothing to decide.",
            assumed="read circuit of this project in gf180mcu; no spread of the junctions",
        ),
        Finding(
            key="disturb", quantity="chance that a read of 5 ns at +0.37 V flips a junction",
            ours=_chance(found.disturb[_nearest(found.disturb, 0.37)]), status=Status.LEFT_OPEN,
            reason=(
                "Worse of both directions; 0.37 V is what the clamps of the complementary read leave on a junction."
                f" The column reads with {found.volts:.2f} V, the sign that raises the barrier of a VCMA junction."
                " Retention limits the bit there, not the read."
            ),
            assumed="stack and anisotropy of the card",
        ),
    ]  # fmt: skip


def _nearest(disturb: list[tuple[str, float, float, float]], volts: float) -> int:
    """The worse direction at a voltage."""
    at = [k for k, one in enumerate(disturb) if abs(one[1] - volts) < 1e-9]
    return max(at, key=lambda k: disturb[k][2])


def _chance(row: tuple[str, float, float, float]) -> Value:
    _, _, chance, high = row
    low = max(0.0, 2 * chance - high)
    return Value(value=chance, low=low, high=high, kind="error bound", digits=digits_of(chance, low, high))
