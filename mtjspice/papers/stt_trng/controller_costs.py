"""What a bit of a large array costs and how warm it makes the chip, beside the readings of the published power."""

from math import exp

from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.stt_trng import claims, limits
from mtjspice.papers.stt_trng.cells import ROW
from mtjspice.papers.stt_trng.columns import Lists, add, empty
from mtjspice.papers.stt_trng.controller_figures import COST_COLUMNS
from mtjspice.papers.stt_trng.devices import PULSE, RATE
from mtjspice.papers.stt_trng.heat import CURIE
from mtjspice.papers.stt_trng.supply import (
    ADC_BITS,
    CIRCUIT,
    CONVERTER,
    LINES,
    MERITS,
    OXIDE,
    PACKAGE,
    PITCH,
    READER,
    Supply,
    Warmth,
    dac_bits,
    per_watt,
    readings,
)


def systems() -> dict[str, tuple[str, ...]]:
    """What is counted of the energy of a bit, by name."""
    return {
        "circuit": (CIRCUIT,), "circuit, lines": (CIRCUIT, LINES), "circuit, lines, DAC": (CIRCUIT, LINES, CONVERTER),
        "circuit, lines, DAC, ADC": (CIRCUIT, LINES, CONVERTER, READER),
    }  # fmt: skip


COSTS = (
    f"circuit of this project in gf180mcu; lines of {ROW} drawn cells; a DAC of {dac_bits()} bits and an ADC of"
    f" {ADC_BITS} bits used once a bit, {MERITS[1] * 1e15:g} ({MERITS[0] * 1e15:g} to {MERITS[2] * 1e15:g}) fJ for each"
    " of their levels; counters, memory of the settings and control not counted"
)


def cost_columns(made: Supply) -> Lists:
    """Gb/s for a watt of every system and reading."""
    columns = empty(COST_COLUMNS)
    for name, chosen in systems().items():
        value, low, high = made.total(chosen)
        add(columns, name, per_watt(value), per_watt(high), per_watt(low))
    for reading, energy in readings().items():
        add(columns, f"{claims.power_text()}, {reading}", per_watt(energy), per_watt(energy), per_watt(energy))
    return columns


def cost_findings(made: Supply) -> list[Finding]:
    """Gb/s for a watt beside the published power."""
    findings = []
    read = readings()
    for number, (name, chosen) in enumerate(systems().items()):
        value, low, high = made.total(chosen)
        kind = "95 %, cycles" if len(chosen) < 3 else "assumed range"
        findings.append(
            Finding(
                key=f"cost-{number}", quantity=f"rate of raw bits for a watt [Gb/s]: {name}", paper=claims.POWER,
                ours=Value(value=per_watt(value), low=per_watt(high), high=per_watt(low), kind=kind, digits=3),
                status=Status.NOT_COMPARABLE,
                reason=(
                    f"{value * 1e12:.2f} pJ a raw bit; an XOR of three leaves a third of the bits. The paper's power is"
                    f" {per_watt(read['average']):.2f} Gb/s for a watt as an average and"
                    f" {per_watt(read['on pulses']):.0f} while pulses of an assumed width last; which is meant, and of"
                    " what, is not said."
                ),
                assumed=COSTS,
            )
        )  # fmt: skip
    return findings


def heat_findings(heat: Warmth, slope: float) -> list[Finding]:
    """Rise of the chip, and what the next cell feels; ``slope`` is dP/dT (1/K)."""
    bear = limits.xor_limit() / abs(slope)
    cells = claims.MILLION_CELLS.value or 0.0
    cycles = 1 / RATE / heat.neighbour_time
    later = cycles**-1.5 * exp(1.5 - 1.5 / cycles)  # of the peak, a cycle after the pulse
    assumed = (
        f"{PACKAGE:g} K/W from the chip to the outside, {OXIDE * 1e6:g} µm of oxide below the cells, T_c of the card"
        f" {CURIE:g} K, drawn cells of {PITCH[0] * 1e6:.2f} µm by {PITCH[1] * 1e6:.2f} µm"
    )
    average = readings()["average"] * cells * RATE
    return [
        Finding(
            key="warm", quantity=f"rise of the temperature of a chip of {cells:,.0f} cells at {RATE / 1e3:g} kHz,"
            " without converters",
            ours=Value(value=heat.chip, unit="K", digits=2), status=Status.LEFT_OPEN,
            reason=(
                f"P moves by {slope:.4f} /K, so that {bear:.1f} K use up all that an XOR of three forgives. The cells"
                f" are {heat.sheet:.2g} K above the chip, half of that at its edge: heat is common to all cells, and a"
                f" controller for all can take it. At {average:.0f} W, the average reading of {claims.power_text()},"
                f" the same package would make {average * PACKAGE:,.0f} K."
            ),
            assumed=assumed,
        ),
        Finding(
            key="neighbour", quantity="largest change of P by the heat of one bit of the next cell",
            ours=Value(value=abs(slope) * heat.neighbour, digits=2), status=Status.LEFT_OPEN,
            reason=(
                f"Upper limit: {heat.neighbour * 1e3:.2g} mK, {heat.neighbour_time * 1e9:.0f} ns after the pulse;"
                f" {later:.1%} of it are left a cycle of {1e6 / RATE:g} µs later. Within a pulse of"
                f" {PULSE * 1e9:g} ns heat goes {heat.reach * 1e6:.2f} µm, and the next cell is"
                f" {min(PITCH) * 1e6:.1f} µm away."
            ),
            assumed=assumed,
        ),
    ]  # fmt: skip
