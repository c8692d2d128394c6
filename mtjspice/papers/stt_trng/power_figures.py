"""Figures of the energy of a bit and of what the rate is enough for."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mtjspice.papers.sections import Columns, Plate
from mtjspice.papers.stt_trng import claims
from mtjspice.papers.stt_trng.devices import LANES, PULSE, RATE_TEXT
from mtjspice.papers.stt_trng.supply import readings
from mtjspice.units import engineering

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POWER = claims.power_text()
PHASES = ("reset", "perturb", "read")
# what models draw, in bits; the networks are typical, not the paper's
DRAWS = {
    "latent of a GAN, 512 x 16 bit": 512 * 16,
    "token by the inverse distribution function, 32 bit": 32,
    "token by Gumbel-max, 128,000 x 32 bit": 128_000 * 32,
    "diffusion of 64 x 64 x 3, 1000 steps of 8 bit": 64 * 64 * 3 * 1000 * 8,
    "diffusion of 256 x 256 x 3, 1000 steps of 8 bit": 256 * 256 * 3 * 1000 * 8,
}
_PHASE, _ENERGY, _LOW, _HIGH, _JUNCTION = "phase", "energy [J/bit]", "low [J/bit]", "high [J/bit]", "junctions [J/bit]"
_WHAT, _BITS, _SECONDS = "what is drawn", "bits", "time behind an XOR [s]"


def energy_plate(mean: Any, error: Any, junctions: Any, bits: int) -> Plate:
    """Energy of a bit by phase."""
    return Plate(
        key="energy",
        caption=(
            f"Energy of a bit in transistors (gf180mcu, co-simulated, {bits} bits) by phase: all sources, with twice"
            " the standard error of the cycles; diamonds: what becomes heat in the junctions. Lines: the two readings"
            f" of {POWER}, the lower with pulses of an assumed width."
        ),
        alt=(
            f"Reset {mean[0] * 1e12:.1f}, perturbation {mean[1] * 1e12:.1f}, read {mean[2] * 1e12:.1f} pJ; the readings"
            f" are {readings()['on pulses'] * 1e12:.1f} pJ and {readings()['average'] * 1e9:.1f} nJ."
        ),
        columns={
            _PHASE: [*PHASES, "all"],
            _ENERGY: [*map(float, mean), float(mean.sum())],
            _LOW: [*map(float, mean - error), float(mean.sum() - np.hypot.reduce(error))],
            _HIGH: [*map(float, mean + error), float(mean.sum() + np.hypot.reduce(error))],
            _JUNCTION: [*map(float, junctions), float(junctions.sum())],
        },
    )  # fmt: skip


def budget_plate(rate: float) -> Plate:
    """Times for one image or token."""
    return Plate(
        key="budget",
        caption=(
            f"Time in which {LANES} junctions at {RATE_TEXT}, behind an XOR of three, give the bits for one image or"
            " token. Arithmetic on typical networks, which are not the paper's."
        ),
        alt=(
            f"From {min(DRAWS.values()) / rate * 1e6:.0f} microseconds for {min(DRAWS, key=lambda one: DRAWS[one])} to"
            f" {max(DRAWS.values()) / rate / 60:.0f} minutes for {max(DRAWS, key=lambda one: DRAWS[one])}."
        ),
        columns={
            _WHAT: list(DRAWS), _BITS: [float(n) for n in DRAWS.values()],
            _SECONDS: [n / rate for n in DRAWS.values()],
        },
    )  # fmt: skip


def draw_energy(columns: Columns) -> "Figure":
    """Energies by phase, and the readings of the paper's power."""
    from mtjspice.reports.style import BLUE, ORANGE, RED, new_figure

    figure, grid = new_figure(2.9)
    axis = grid[0, 0]
    at = np.arange(len(columns[_PHASE]))
    energy = columns[_ENERGY]
    axis.errorbar(at, energy, [energy - columns[_LOW], columns[_HIGH] - energy], fmt="o", markersize=6, color=BLUE,
                  capsize=3, label="all sources")  # fmt: skip
    axis.plot(at, columns[_JUNCTION], "D", markersize=6, color=BLUE, markerfacecolor="white", label="in the junctions")
    average, on_pulse = readings().values()
    for level, colour, text in (
        (average, RED, f"{POWER} as average"), (on_pulse, ORANGE, f"{POWER} during {PULSE * 1e9:g} ns (assumed)"),
    ):  # fmt: skip
        axis.axhline(level, color=colour, linewidth=1.2, linestyle="--")
        axis.text(-0.45, 1.4 * level, f"{text}: {engineering(level, 'J', 2)}", fontsize=8, color=colour)
    axis.set(yscale="log", ylabel="energy of a bit [J]", ylim=(1e-15, 2e-8), xlim=(-0.5, 3.5))
    axis.set_xticks(at, columns[_PHASE])
    axis.legend(fontsize=8, loc="center", bbox_to_anchor=(0.5, 0.78))
    return figure


def _count(bits: float) -> str:
    for scale, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if bits >= scale:
            return f"{bits / scale:.2g} {prefix}bit"
    return f"{bits:.0f} bit"


def draw_budget(columns: Columns) -> "Figure":
    """Times for one image or token."""
    from mtjspice.reports.style import BLUE, new_figure

    figure, grid = new_figure(2.2)
    axis = grid[0, 0]
    at = np.arange(len(columns[_WHAT]))
    axis.plot(columns[_SECONDS], at, "o", markersize=6, color=BLUE)
    for place, seconds, bits in zip(at, columns[_SECONDS], columns[_BITS], strict=True):
        text = (
            f"{seconds * 1e6:.0f} µs"
            if seconds < 1e-3
            else f"{seconds * 1e3:.0f} ms"
            if seconds < 1
            else f"{seconds:,.0f} s"
        )
        axis.text(1.7 * seconds, place, f"{text}, {_count(bits)}", va="center", fontsize=8)
    axis.set(xscale="log", xlabel="time behind an XOR [s]", xlim=(1e-5, 1e7), ylim=(len(at) - 0.5, -0.5))
    axis.set_yticks(at, columns[_WHAT], fontsize=8)
    return figure
