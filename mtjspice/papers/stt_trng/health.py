"""What the continuous health tests of SP 800-90B see of a bias: alarms counted, and their closed form."""

from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.experiment import Context
from mtjspice.papers.sections import Columns, Plate
from mtjspice.papers.stt_trng import limits
from mtjspice.papers.stt_trng.columns import add, empty
from mtjspice.papers.stt_trng.devices import RATE, RATE_TEXT
from mtjspice.papers.stt_trng.limits import power_of_ten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENTROPY = 0.8  # bit per bit, claimed of a junction
BIASES = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.13)
_BIAS, _ALARMS, _FRACTION = "bias of P", "alarms per hour of a junction", "fraction of tests that fail"
_LAW, _LOW, _HIGH = "alarms per hour, closed form", "low", "high"


def alarms(context: Context) -> Plate:
    """Alarms of the continuous health tests of a junction, counted and by their closed form, against the bias."""
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.bits.sp800_90b.health import HealthMonitor

    bits = context.effort(20_000_000, 200_000_000)
    columns = empty((_BIAS, _ALARMS, _LOW, _HIGH, _LAW, _FRACTION))
    for number, bias in enumerate(BIASES):
        monitor = HealthMonitor(ENTROPY)
        source = open_source(f"emulated:fair,p={0.5 + bias!r}", (context.seed + number) % 2**32)
        for _ in range(bits // 10_000_000):
            monitor.feed(source.stream(10_000_000))
        counted, per_hour = len(monitor.alarms), RATE * 3600 / bits
        low, high = _poisson(counted)
        add(columns, bias, counted * per_hour, low * per_hour, high * per_hour, alarm_rate(bias) * RATE * 3600,
            1 - limits.pass_rate(bias))  # fmt: skip
    return Plate(
        key="health",
        caption=(
            f"Alarms per hour of one junction at {RATE_TEXT} by the continuous health tests of SP 800-90B, set up for a"
            f" min-entropy of {ENTROPY:g} bit and false alarms of 2⁻²⁰; dots: counted in {power_of_ten(bits)} bits a"
            " point, 95 % (Poisson; hollow: none counted, upper limit). Line: closed form. Dashed: fraction of"
            " frequency tests of 10⁶ raw bits that fail."
        ),
        alt="Health tests alarm some times an hour at any small bias; the frequency test fails from a thousandth on.",
        columns=columns,
    )


def alarm_rate(bias: float) -> float:
    """Alarms per bit of both health tests, of independent bits: runs of the cutoff, and full windows."""
    from scipy.special import bdtrc

    from mtjspice.bits.sp800_90b.cutoffs import BINARY_WINDOW, adaptive_proportion_cutoff, repetition_count_cutoff

    run, count = repetition_count_cutoff(ENTROPY), adaptive_proportion_cutoff(ENTROPY)
    rate = 0.0
    for p in (0.5 + bias, 0.5 - bias):
        rate += (1 - p) * p**run + p * float(bdtrc(count - 2, BINARY_WINDOW - 1, p)) / BINARY_WINDOW
    return rate


def _poisson(count: int) -> tuple[float, float]:
    from scipy.special import chdtri

    low = 0.0 if count == 0 else float(chdtri(2 * count, 0.975) / 2)
    return low, float(chdtri(2 * count + 2, 0.025) / 2)


def tenfold() -> float:
    """Bias at which ten times as many alarms are raised as by fair bits."""
    from scipy.optimize import brentq

    return float(brentq(lambda bias: alarm_rate(bias) - 10 * alarm_rate(0.0), 0.0, 0.4))


def draw_health(columns: Columns) -> "Figure":
    """Alarms per hour against the bias."""
    from mtjspice.reports.style import BLUE, RED, new_figure

    figure, grid = new_figure(2.8)
    axis = grid[0, 0]
    bias, alarms = columns[_BIAS], columns[_ALARMS]
    there = alarms > 0
    dense = np.linspace(0, float(bias.max()), 800)
    axis.plot(dense, [3600 * RATE * alarm_rate(one) for one in dense], color=BLUE, linewidth=1.0, label="closed form")
    axis.vlines(bias[there], columns[_LOW][there], columns[_HIGH][there], color=BLUE, linewidth=1.2)
    axis.plot(bias[there], alarms[there], "o", markersize=4, color=BLUE, label="counted")
    axis.plot(bias[~there], columns[_HIGH][~there], "v", markersize=5, color=BLUE, markerfacecolor="white",
              label="none counted")  # fmt: skip
    axis.set(yscale="log", xlabel="bias |P - 1/2|", ylabel="alarms per hour")
    right = axis.twinx()
    right.plot(dense, [1 - limits.pass_rate(one) for one in dense], "--", color=RED)
    right.set_ylabel("failing frequency tests", color=RED)
    right.set_ylim(0, 1.05)
    right.grid(visible=False)
    axis.legend(fontsize=8, loc="upper left", bbox_to_anchor=(0.06, 0.93))
    return figure
