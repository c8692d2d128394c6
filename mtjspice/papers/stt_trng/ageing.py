"""Walk, 1/f noise and ageing over 10^6 to 10^12 pulses: when the first test fails, with a controller and without.

The logits of an array's junctions are drawn at test times that lie evenly on a logarithmic axis: a walk and processes
of Ornstein and Uhlenbeck by their exact steps, ageing as a power of the pulses. Under a controller, which acts far more
often than tests are made, the residuals of successive tests are independent, with the variance of the closed forms.
"""

from collections.abc import Iterator
from math import log2, log10, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from mtjspice.papers.experiment import Context
from mtjspice.papers.findings import Finding, Status
from mtjspice.papers.sections import Columns, Plate
from mtjspice.papers.stt_trng.cells import widths
from mtjspice.papers.stt_trng.columns import add, empty
from mtjspice.papers.stt_trng.counts import BITS, MODES, PROBABILITY, ones_of, xored
from mtjspice.papers.stt_trng.devices import LANES, RATE
from mtjspice.papers.stt_trng.limits import power_of_ten
from mtjspice.papers.stt_trng.loops import GAIN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIRST, LAST, PER_DECADE = 1e6, 1e12, 20  # pulses of a junction; tests a decade
WINDOW = 1e6  # pulses between corrections
EXPONENT, SCATTER = 0.25, 0.3  # of ageing with the pulses, and from junction to junction; assumed
KINDS = {
    "walk after an hour": (1e-4, 1e-3, 1e-2),
    "1/f in a decade": (1e-4, 1e-3, 1e-2),
    "ageing after 10¹² pulses": (1e-3, 1e-2, 1e-1),
}  # of V50, relative, assumed
_KIND, _LEVEL, _CURVE, _MODE = "what V50 does", "of V50", "switching curve", "bits"
_PULSES, _LOW, _HIGH = "pulses to the first failure", "low", "high"
COLUMNS = (_KIND, _LEVEL, _CURVE, _MODE, _PULSES, _LOW, _HIGH)
Floats = NDArray[np.float64]
Found = dict[tuple[str, float, str, str], tuple[float, float, float]]


def tested() -> Floats:
    """Pulses at which tests are made."""
    decades = log10(LAST / FIRST)
    return np.asarray(np.logspace(log10(FIRST), log10(LAST), round(PER_DECADE * decades) + 1))


def times() -> Floats:
    """Correlation times (pulses) of the processes of 1/f noise, an octave apart."""
    return np.asarray(WINDOW / 2 * 2.0 ** np.arange(int(log2(LAST / WINDOW)) + 2))


def held_flicker(per_decade: float) -> float:
    """Variance that a loop leaves of 1/f noise: what H = 1 - g / (z - 1 + g) passes of every process."""
    rho, a = np.exp(-WINDOW / times()), 1 - GAIN
    passed = 1 - 2 * GAIN * rho / (1 - a * rho) + GAIN**2 / (1 - a**2) * (1 + a * rho) / (1 - a * rho)
    return float(per_decade**2 * log10(2) * passed.sum())


def _noise() -> float:
    """Variance that counting leaves in a loop."""
    return GAIN * 4 / WINDOW / (2 - GAIN)


def _walk(level: float, runs: int, rng: np.random.Generator) -> Iterator[tuple[Floats, Floats]]:
    """Logits (runs, lanes) without and with a controller, test by test; ``level`` after an hour."""
    step = level / sqrt(3600 * RATE)  # after a pulse
    held = sqrt(step**2 * WINDOW / GAIN / (2 - GAIN) + _noise())
    shift, before = np.zeros((runs, LANES)), 0.0
    for pulses in tested():
        shift = shift + step * sqrt(pulses - before) * rng.standard_normal(shift.shape)
        before = float(pulses)
        yield shift, held * rng.standard_normal(shift.shape)


def _flicker(level: float, runs: int, rng: np.random.Generator) -> Iterator[tuple[Floats, Floats]]:
    """The same for 1/f noise, trimmed at the start."""
    deviation, constants = level * sqrt(log10(2)), times()[:, None, None]
    held = sqrt(held_flicker(level) + _noise())
    state = deviation * rng.standard_normal((len(constants), runs, LANES))
    trim, before = state.sum(axis=0), 0.0
    for pulses in tested():
        kept = np.exp(-(pulses - before) / constants)
        state = kept * state + deviation * np.sqrt(1 - kept**2) * rng.standard_normal(state.shape)
        before = float(pulses)
        yield state.sum(axis=0) - trim, held * rng.standard_normal(trim.shape)


def _ageing(level: float, runs: int, rng: np.random.Generator) -> Iterator[tuple[Floats, Floats]]:
    """The same for a power of the pulses; the controller lags by 1/g windows."""
    each = level * (1 + SCATTER * rng.standard_normal((runs, LANES)))
    for pulses in tested():
        shift = each * (pulses / LAST) ** EXPONENT
        lag = shift * min(1.0, EXPONENT * WINDOW / GAIN / pulses)
        yield shift, lag + sqrt(_noise()) * rng.standard_normal(shift.shape)


_DRAWN = dict(zip(KINDS, (_walk, _flicker, _ageing), strict=True))


def first_failures(kind: str, level: float, runs: int, rng: np.random.Generator) -> Floats:
    """Pulses to the first failing test, shape (modes, runs); infinite where none fails. ``level`` in logits."""
    bound = -ndtri(PROBABILITY / 2) * sqrt(BITS) / 2  # of the ones, around half of the bits
    failed = np.full((len(MODES), runs), np.inf)
    for pulses, (free, held) in zip(tested(), _DRAWN[kind](level, runs, rng), strict=True):
        free, held = expit(free), expit(held)
        for mode, ones in enumerate((ones_of(free, rng), ones_of(held, rng), xored(free, rng), xored(held, rng))):
            failed[mode, (np.abs(ones - BITS / 2) > bound) & np.isinf(failed[mode])] = pulses
    return failed


def found(context: Context) -> Found:
    """Medians and 95 % limits (bootstrap) of the pulses, infinite where half of the arrays or more do not fail."""
    runs = context.effort(40, 200)
    rng = np.random.default_rng([context.seed, 14])
    result: Found = {}
    for curve, width in widths().items():
        for kind, levels in KINDS.items():
            for level in levels:
                for mode, failed in zip(MODES, first_failures(kind, level / width, runs, rng), strict=True):
                    medians = np.quantile(rng.choice(failed, (1000, runs)), 0.5, axis=1, method="lower")
                    low, high = np.quantile(medians, [0.025, 0.975], method="nearest")
                    middle = float(np.quantile(failed, 0.5, method="lower"))
                    result[kind, level, curve, mode] = middle, float(low), float(high)
    return result


def findings(made: Found) -> list[Finding]:
    """What every kind of drift does at its middle level."""
    result = []
    for (kind, levels), key in zip(KINDS.items(), ("walk", "flicker", "ageing"), strict=True):
        for curve in widths():
            text = "; ".join(f"{mode}: {_hours(made[kind, levels[1], curve, mode])}" for mode in MODES)
            result.append(
                Finding(
                    key=f"pulses-{key}-{'ours' if curve.startswith('card') else 'other'}",
                    quantity=f"{curve}, {kind} {levels[1]:.2%} of V50: hours to the first failure (median, 95 %"
                    " by bootstrap)",
                    ours=text,
                    status=Status.LEFT_OPEN,
                    reason=(
                        f"At {levels[0]:.2%} {_raw(made, kind, levels[0], curve)}, at {levels[2]:.2%}"
                        f" {_raw(made, kind, levels[2], curve)}. {power_of_ten(LAST)} pulses are {_span():,.0f} h."
                        + (" Rare tests find a slow walk later than one every 10 s does." if key == "walk" else "")
                        + (" A controller lags behind by what a few windows change." if key == "ageing" else "")
                        + (" What is faster than its windows a controller cannot take." if key == "flicker" else "")
                    ),
                    assumed=ASSUMED,
                )
            )  # fmt: skip
    return result


ASSUMED = (
    f"levels of drift; ageing as the power {EXPONENT:g} of the pulses, {SCATTER:.0%} different from junction to"
    f" junction; controller of gain {GAIN:g} every {power_of_ten(WINDOW)} pulses; tests of 10⁶ bits, {PER_DECADE} a"
    f" decade of pulses, that fail with p < {power_of_ten(PROBABILITY)}"
)


def _span() -> float:
    return LAST / RATE / 3600


def _raw(made: Found, kind: str, level: float, curve: str) -> str:
    return "; ".join(f"{mode}: {_hours(made[kind, level, curve, mode], False)}" for mode in (MODES[0], MODES[2]))


def _hours(one: tuple[float, float, float], limits: bool = True) -> str:
    """Hours with 95 % limits, as text."""
    value, low, high = (_text(pulses) for pulses in one)
    return f"{value} ({low} to {high})" if limits and low != high else value


def _text(pulses: float) -> str:
    hours = pulses / RATE / 3600
    if pulses == FIRST:
        return "at the first test"
    if not np.isfinite(hours):
        return f"> {_span():,.0f}"
    return f"{hours:,.0f}" if hours >= 100 else f"{hours:.2g}"


def plate(context: Context, made: Found) -> Plate:
    """Pulses to the first failure against the level of each kind of drift."""
    columns = empty(COLUMNS)
    for (kind, level, curve, mode), values in made.items():
        add(columns, kind, level, curve, mode, *(min(one, 10 * LAST) for one in values))
    return Plate(
        key="pulses",
        caption=(
            f"Pulses of each junction until the first of {PER_DECADE} frequency tests a decade fails (10⁶ bits, p <"
            f" {power_of_ten(PROBABILITY)}): medians of {context.effort(40, 200)} arrays of {LANES} junctions, 95 % by"
            f" bootstrap. At the top, hollow: half of the arrays or more outlast {power_of_ten(LAST)} pulses,"
            f" {_span():,.0f} h. Solid: curve of the card; dashed: published curve of another device. Levels are"
            " assumed. Tests are rarer here than one every 10 s, and find a slow walk later."
        ),
        alt=(
            "Raw bits fail soonest; XOR of three lasts orders of magnitude longer; a controller with XOR outlasts most"
            " of what is drawn."
        ),
        columns=columns,
    )


def draw_pulses(columns: Columns) -> "Figure":
    """A panel a kind of drift."""
    from mtjspice.reports.style import BLUE, GREEN, ORANGE, RED, new_figure

    figure, grid = new_figure(3.4, columns=3, sharey=True)
    curves = list(dict.fromkeys(columns[_CURVE].tolist()))
    for axis, kind in zip(grid[0], dict.fromkeys(columns[_KIND].tolist()), strict=True):
        for number, (mode, colour, marker) in enumerate(zip(MODES, (RED, ORANGE, BLUE, GREEN), "os^D", strict=True)):
            for second, curve in enumerate(curves):
                mine = (columns[_KIND] == kind) & (columns[_MODE] == mode) & (columns[_CURVE] == curve)
                label = mode if not second else None
                _line(axis, {name: columns[name][mine] for name in (_LEVEL, _PULSES, _LOW, _HIGH)},
                      1.09 ** (2 * number + second - 3.5), colour, marker, "--" if second else "-", label)  # fmt: skip
        axis.axhline(LAST, color="#888888", linewidth=0.7)
        axis.set(xscale="log", yscale="log", ylim=(5e5, 6e12))
        axis.set_xlabel(f"{kind}\n[% of V50]", fontsize=8)
    grid[0, 0].set_ylabel("pulses to the first failure")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)
    return figure


def _line(
    axis: Any, data: dict[str, Any], beside: float, colour: str, marker: str, form: str, label: str | None
) -> None:
    at, top = 100 * data[_LEVEL] * beside, 2 * LAST
    value, low, high = (np.minimum(data[name], top) for name in (_PULSES, _LOW, _HIGH))
    open_end = value >= top
    axis.plot(at, value, form, color=colour, linewidth=0.8)
    axis.vlines(at, low, high, color=colour, linewidth=1.0)
    axis.plot(at, value, marker, markersize=4, color=colour, label=label)
    axis.plot(at[open_end], value[open_end], marker, markersize=4, color=colour, markerfacecolor="white")
