"""Figures of the experiment on 4096 bits: their columns, and how they are drawn."""

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.pbit import claims
from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

LAGS = 32
BIASES = np.geomspace(1e-4, 0.2, 41)
_BIAS, _PASS, _TEST = "bias |P(1) - 1/2|", "probability", "what is asked"
_LAG, _R, _BAND, _STREAM = "lag [pulses]", "autocorrelation", "95 % band", "bits"
ASKED = ("entropy of the paper on 4096 bits", "frequency test, 4096 bits", "frequency test, 1e6 bits")


def within(bias: float, bits: int, limit: float) -> float:
    """Chance that the fraction of ones of ``bits`` independent bits lies within ``limit`` of 1/2."""
    from scipy.special import bdtr

    low, high = np.ceil(bits * (0.5 - limit) - 1e-9), np.floor(bits * (0.5 + limit) + 1e-9)
    return float(bdtr(high, bits, 0.5 + bias) - (bdtr(low - 1, bits, 0.5 + bias) if low > 0 else 0.0))


def power_plate(reported: float) -> Plate:
    """Chance that bits of a bias pass, exact."""
    limits = {
        ASKED[0]: (claims.ENTROPY_BITS, reported), ASKED[1]: (4096, 2.5758 * 0.5 / sqrt(4096)),
        ASKED[2]: (1_000_000, 2.5758 * 0.5 / sqrt(1e6)),
    }  # fmt: skip
    rows = [(name, float(e), within(float(e), n, limit)) for name, (n, limit) in limits.items() for e in BIASES]
    return Plate(
        key="power",
        caption=(
            "Probability, exact, that independent bits of a bias pass: an entropy of 0.999986 or more on 4096 bits,"
            " and NIST's frequency test (level 0.01) on 4096 and on a million bits. Dotted: the bias of 0.018 that the"
            " paper's 4096 bits allow."
        ),
        alt="4096 bits tell biases above 0.02 from none; a million bits those above 0.0015.",
        columns={_TEST: [one[0] for one in rows], _BIAS: [one[1] for one in rows], _PASS: [one[2] for one in rows]},
    )


def autocorrelation_plate(r: Floats, whole: Floats, band: float, kind: str) -> Plate:
    """Autocorrelation of each P-bit and of all in turn."""
    lags = np.arange(1, LAGS + 1)
    return Plate(
        key="autocorrelation",
        caption=(
            f"Autocorrelation of the 4096 bits ({kind}): of each P-bit from pulse to pulse, mean of eight, and of the"
            " column's bits in the order of their rows. Grey: 95 % band of independent bits for a single lag."
        ),
        alt=f"Values scatter about zero within {np.abs([*r, *whole]).max():.2f}; the band is {band:.2f}.",
        columns={
            _STREAM: ["each P-bit"] * LAGS + ["all rows in turn"] * LAGS,
            _LAG: [*lags.tolist(), *lags.tolist()],
            _R: [*r.tolist(), *whole.tolist()],
            _BAND: [band] * (2 * LAGS),
        },
    )


def draw_power(columns: Columns) -> "Figure":
    """What a bias passes."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, new_figure

    figure, grid = new_figure(2.8)
    axis = grid[0, 0]
    for name, colour, line in zip(ASKED, (BLUE, GREEN, ORANGE), ("-", "--", "-."), strict=True):
        own = columns[_TEST] == name
        axis.semilogx(columns[_BIAS][own], columns[_PASS][own], line, color=colour, label=name)
    axis.axvline(0.018, color=BLACK, linewidth=0.8, linestyle=":")
    axis.set(xlabel=_BIAS, ylabel=_PASS, ylim=(-0.02, 1.05))
    figure.legend(loc="outside upper center", fontsize=8, ncols=3)
    return figure


def draw_autocorrelation(columns: Columns) -> "Figure":
    """Autocorrelation with the band of independent bits."""
    from mtjspice.reports.style import BLUE, ORANGE, new_figure

    figure, grid = new_figure(2.6)
    axis = grid[0, 0]
    band = float(columns[_BAND][0])
    axis.axhspan(-band, band, color="#dddddd", linewidth=0)
    for name, colour, marker, shift in (("each P-bit", BLUE, "o", -0.15), ("all rows in turn", ORANGE, "s", 0.15)):
        own = columns[_STREAM] == name
        axis.plot(columns[_LAG][own] + shift, columns[_R][own], marker, color=colour, markersize=4, label=name)
    axis.set(xlabel="lag [pulses, or bits]", ylabel=_R, ylim=(-0.1, 0.1))
    axis.legend(fontsize=8, ncols=2, loc="upper right")
    return figure
