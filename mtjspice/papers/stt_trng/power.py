"""What 7.2 mW can mean, what a bit costs in a circuit of transistors, and how far the rates go."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.sections import Columns, Plate, Section
from mtjspice.papers.stt_trng import claims
from mtjspice.papers.stt_trng.devices import CARD, LANES, PULSE, RATE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
_WHAT, _BITS, _SECONDS = "what is drawn", "bits", "time at 0.53 Mb/s [s]"


def run(context: Context) -> Section:
    """Co-simulate channels in transistors, count what all sources deliver."""
    from mtjspice.circuits.benches.trng import SttTrngCycles, generate
    from mtjspice.circuits.library.trng import SttTrng
    from mtjspice.circuits.technology import technology
    from mtjspice.device.card import load_card

    channels, cycles = context.effort((4, 6), (LANES, 20))
    circuit = SttTrng(technology("gf180mcu"), card=load_card(CARD), channels=channels)
    bench = SttTrngCycles(circuit, cycles=cycles)
    found = generate(bench, context.seed % 2**32)
    return _section(found, bench, channels, cycles)


def on_pulse_energy() -> float:
    """Energy (J) of a bit if the published power is that of the junctions while pulses of an assumed width last."""
    return (claims.POWER.value or 0.0) / LANES * PULSE


def _section(found: Any, bench: Any, channels: int, cycles: int) -> Section:
    each = found.energy / channels
    mean, error = each.mean(axis=0), 2 * each.std(axis=0, ddof=1) / np.sqrt(cycles)
    junctions = found.junction_energy.mean(axis=0) / channels
    total = float(mean.sum())
    spread = float(2 * each.sum(axis=1).std(ddof=1) / np.sqrt(cycles))
    ours = Value(value=total, unit="J", low=total - spread, high=total + spread, kind="95 %, cycles", digits=4)
    rate = LANES * RATE
    bits = rate / 3
    fastest = channels / bench.period
    power = claims.POWER.value or 0.0
    average, on_pulse = power / rate, on_pulse_energy()
    assumed = (
        f"circuit of this project in gf180mcu at 3.3 V without wires, card {CARD}: reset 8 ns at 0.9 V, perturbation 10"
        f" ns, cycle {bench.period * 1e9:.1f} ns; DAC, ADC, FPGA and control logic are not in it"
    )
    findings = [
        Finding(
            key="rate", quantity="16 junctions at 100 kHz", paper=claims.RATE, ours=Value(value=rate, unit="bit/s"),
            status=Status.NOT_COMPARABLE,
            reason=(
                "One of the paper's numbers times another: consistency of the paper with itself, no evidence. Raw bits;"
                f" behind an XOR of three {bits / 1e6:.2f} Mb/s are left."
            ),
        ),
        Finding(
            key="average", quantity="energy of a bit, 7.2 mW read as the system's average", paper=claims.ENERGY_AVERAGE,
            ours=ours, status=Status.NOT_COMPARABLE,
            reason=(
                f"7.2 mW / 1.6 Mb/s = {average * 1e9:.2g} nJ, {average / total:.0f} times ours. What the 7.2 mW cover"
                " is not said; read so, they would have to be the converters and the control of a laboratory"
                " set-up, not the junctions."
            ),
            assumed=assumed,
        ),
        Finding(
            key="on-pulse", quantity=f"energy of a bit, 7.2 mW read as power while pulses of {PULSE * 1e9:g} ns last",
            paper=claims.POWER, ours=ours, status=Status.NOT_COMPARABLE,
            reason=(
                f"0.45 mW a junction for 10 ns is {on_pulse * 1e12:.2g} pJ, ours is {total / on_pulse:.2f} times that"
                " with reset, read and drivers. The pulse width of the reading is assumed: nearness proves nothing."
            ),
            assumed=f"pulses of {PULSE * 1e9:g} ns, which make {on_pulse * 1e12:.2g} pJ of 7.2 mW; {assumed}",
        ),
        Finding(
            key="junctions", quantity="share of the junctions in the energy of a bit",
            ours=Value(value=float(junctions.sum()) / total, unit="%"), status=Status.LEFT_OPEN,
            reason=(
                f"{junctions.sum() * 1e12:.2f} of {total * 1e12:.2f} pJ; the reset takes {mean[0] / total:.0%} of all."
                " An energy that counts junctions alone is not that of a bit."
            ),
            assumed=assumed,
        ),
        Finding(
            key="million", quantity="power of a million cells at 100 kHz", paper=claims.MILLION_RATE,
            ours=f"{1e6 * RATE * average:.0f} W with the first reading, {1e6 * RATE * total:.2f} W with our circuit",
            status=Status.NOT_COMPARABLE,
            reason="The paper projects a rate and gives no power for it; both are the energy of a bit times 100 Gb/s.",
            assumed=assumed,
        ),
        Finding(
            key="language", quantity="bits that a token takes", paper=claims.LANGUAGE_MODELS,
            ours=f"32 or {DRAWS['token by Gumbel-max, 128,000 x 32 bit'] / 1e6:.1f} million",
            status=Status.NOT_COMPARABLE,
            reason=(
                f"With the inverse distribution function {bits / 32:.0f} tokens a second follow from 0.53 Mb/s, so that"
                " nothing needs a Gb/s. With Gumbel-max over a large vocabulary one token takes"
                f" {128_000 * 32 / bits:.1f} s. Which is meant is not said."
            ),
            assumed="vocabulary of 128,000, words of 32 bits",
        ),
    ]  # fmt: skip
    return Section(
        answer=(
            "7.2 mW have two readings that differ by a thousand. As the average of a system that gives 1.6 Mb/s they"
            f" are {average * 1e9:.1f} nJ a bit, and a million cells would take {1e6 * RATE * average:.0f} W; as power"
            f" during pulses of 10 ns, a width that is assumed, they are {on_pulse * 1e12:.1f} pJ. A circuit of"
            f" transistors, every source counted, takes {total * 1e12:.2f} ± {spread * 1e12:.2f} pJ: reset"
            f" {mean[0] * 1e12:.1f}, perturbation {mean[1] * 1e12:.1f}, read {mean[2] * 1e12:.1f} pJ, the junctions"
            f" {junctions.sum() / total:.0%} of it."
            f" At 1.6 Mb/s that is {total * rate * 1e6:.0f} µW.",
            f"The rate of 100 kHz is not that of the junction: the same circuit repeats after {bench.period * 1e9:.1f}"
            f" ns, {1e-6 / bench.period:.0f} million bits a second from each channel. Sixteen channels would give"
            f" {LANES / bench.period / 1e6:.0f} Mb/s.",
            f"What 0.53 Mb/s are enough for depends on what is drawn: {bits / (512 * 16):.0f} latents of a GAN a"
            f" second, but {64 * 64 * 3 * 8000 / bits / 60:.1f} minutes for the noise of one diffused image of 64 x 64"
            " pixels.",
        ),
        findings=findings,
        plates=(_energy_plate(mean, error, junctions, channels * cycles), _budget_plate(bits)),
        setting=(
            f"{channels} channels, {cycles} cycles co-simulated in gf180mcu ({fastest / 1e6:.0f} Mb/s); energy"
            " delivered by all sources, without wires."
        ),
    )  # fmt: skip


def _energy_plate(mean: Any, error: Any, junctions: Any, bits: int) -> Plate:
    return Plate(
        key="energy",
        caption=(
            f"Energy of a bit in transistors (gf180mcu, co-simulated, {bits} bits) by phase: all sources, with twice"
            " the standard error of the cycles; diamonds: what becomes heat in the junctions. Lines: the two readings"
            " of 7.2 mW, the lower with pulses of an assumed width."
        ),
        alt=(
            f"Reset {mean[0] * 1e12:.1f}, perturbation {mean[1] * 1e12:.1f}, read {mean[2] * 1e12:.1f} pJ; the readings"
            " are 4.5 pJ and 4.5 nJ."
        ),
        columns={
            _PHASE: [*PHASES, "all"],
            _ENERGY: [*map(float, mean), float(mean.sum())],
            _LOW: [*map(float, mean - error), float(mean.sum() - np.hypot.reduce(error))],
            _HIGH: [*map(float, mean + error), float(mean.sum() + np.hypot.reduce(error))],
            _JUNCTION: [*map(float, junctions), float(junctions.sum())],
        },
    )  # fmt: skip


def _budget_plate(rate: float) -> Plate:
    return Plate(
        key="budget",
        caption=(
            "Time in which 16 junctions at 100 kHz, behind an XOR of three, give the bits for one image or token."
            " Arithmetic on typical networks, which are not the paper's."
        ),
        alt=(
            "From 60 microseconds for a token by the inverse distribution function to 49 minutes for a large diffused"
            " image."
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
    for level, colour, text in ((claims.ENERGY_AVERAGE.value or 0.0, RED, "7.2 mW as average: 4.5 nJ"),
                                (on_pulse_energy(), ORANGE, "7.2 mW during 10 ns (assumed): 4.5 pJ")):  # fmt: skip
        axis.axhline(level, color=colour, linewidth=1.2, linestyle="--")
        axis.text(-0.45, 1.12 * level, text, fontsize=8, color=colour)
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
    axis.barh(at, columns[_SECONDS], 0.55, color=BLUE)
    for place, seconds, bits in zip(at, columns[_SECONDS], columns[_BITS], strict=True):
        text = (
            f"{seconds * 1e6:.0f} µs"
            if seconds < 1e-3
            else f"{seconds * 1e3:.0f} ms"
            if seconds < 1
            else f"{seconds:,.0f} s"
        )
        axis.text(1.2 * seconds, place, f"{text}, {_count(bits)}", va="center", fontsize=8)
    axis.set(xscale="log", xlabel="time at 0.53 Mb/s [s]", xlim=(1e-5, 1e9), ylim=(len(at) - 0.5, -0.5))
    axis.set_yticks(at, columns[_WHAT], fontsize=8)
    return figure


EXPERIMENT = Experiment(
    key="power",
    title="What does a bit cost, and how far do the rates go?",
    question="What can 7.2 mW mean, what does a bit cost in transistors, and for what do 1.6 Mb/s suffice?",
    run=run,
    draw={"energy": draw_energy, "budget": draw_budget},
    minutes=(0.1, 0.6),
)
