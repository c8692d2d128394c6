"""What the published power can mean, what a bit costs in a circuit of transistors, and how far the rates go."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.sections import Section
from mtjspice.papers.stt_trng import claims
from mtjspice.papers.stt_trng import power_figures as figures
from mtjspice.papers.stt_trng.devices import ALL_TEXT, CARD, LANES, PULSE, RATE, RATE_TEXT, XOR_RATE, XOR_TEXT
from mtjspice.papers.stt_trng.supply import readings

if TYPE_CHECKING:
    from mtjspice.circuits.benches.trng import GeneratedBits

POWER, CELLS = claims.power_text(), claims.MILLION_CELLS.value or 0.0
GUMBEL = figures.DRAWS["token by Gumbel-max, 128,000 x 32 bit"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """Energies (J) of a bit from co-simulated cycles: of each phase, its error, of the junctions; of all, its error."""

    phases: Floats
    errors: Floats
    junctions: Floats
    total: float
    error: float
    period: float  # s, of a cycle
    channels: int
    cycles: int


def run(context: Context) -> Section:
    """Co-simulate channels in transistors, count what all sources deliver."""
    from mtjspice.circuits.benches.trng import SttTrngCycles, generate
    from mtjspice.circuits.library.trng import SttTrng
    from mtjspice.circuits.technology import technology
    from mtjspice.device.card import load_card

    channels, cycles = context.effort((4, 6), (LANES, 20))
    circuit = SttTrng(technology("gf180mcu"), card=load_card(CARD), channels=channels)
    bench = SttTrngCycles(circuit, cycles=cycles)
    made = _measured(generate(bench, context.seed % 2**32), bench.period)
    return Section(
        answer=_answer(made), findings=[*_readings(made), *_projections(made)],
        plates=(
            figures.energy_plate(made.phases, made.errors, made.junctions, channels * cycles),
            figures.budget_plate(XOR_RATE),
        ),
        setting=(
            f"{channels} channels, {cycles} cycles co-simulated in gf180mcu ({channels / bench.period / 1e6:.0f} Mb/s);"
            " energy delivered by all sources, without wires."
        ),
    )  # fmt: skip


def _measured(found: "GeneratedBits", period: float) -> Measured:
    cycles, channels = found.bits.shape
    each = found.energy / channels
    whole = each.sum(axis=1)
    return Measured(
        each.mean(axis=0), 2 * each.std(axis=0, ddof=1) / np.sqrt(cycles),
        found.junction_energy.mean(axis=0) / channels, float(whole.mean()),
        float(2 * whole.std(ddof=1) / np.sqrt(cycles)), period, channels, cycles,
    )  # fmt: skip


def on_pulse_energy() -> float:
    """Energy (J) of a bit if the published power is that of the junctions while pulses of an assumed width last."""
    return readings()["on pulses"]


def _assumed(made: Measured) -> str:
    return (
        f"circuit of this project in gf180mcu at 3.3 V without wires, card {CARD}: reset 8 ns at 0.9 V, perturbation 10"
        f" ns, cycle {made.period * 1e9:.1f} ns; DAC, ADC, FPGA and control logic are not in it"
    )


def _readings(made: Measured) -> list[Finding]:
    """What the published power is in either reading, beside the circuit."""
    average, on_pulse = readings().values()
    ours = Value(
        value=made.total, unit="J", low=made.total - made.error, high=made.total + made.error, kind="95 %, cycles",
        digits=4,
    )  # fmt: skip
    return [
        Finding(
            key="rate", quantity=f"{LANES} junctions at {RATE_TEXT}", paper=claims.RATE,
            ours=Value(value=LANES * RATE, unit="bit/s"), status=Status.NOT_COMPARABLE,
            reason=(
                "One of the paper's numbers times another: consistency of the paper with itself, no evidence. Raw bits;"
                f" behind an XOR of three {XOR_TEXT} are left."
            ),
            assumed="every junction is used, one bit a cycle",
        ),
        Finding(
            key="average", quantity=f"energy of a bit, {POWER} read as the system's average",
            paper=claims.ENERGY_AVERAGE, ours=ours, status=Status.NOT_COMPARABLE,
            reason=(
                f"{POWER} / {ALL_TEXT} = {average * 1e9:.2g} nJ, {average / made.total:.0f} times ours. What the"
                f" {POWER} cover is not said; read so, they would have to be the converters and the control of a"
                " laboratory set-up, not the junctions."
            ),
            assumed=_assumed(made),
        ),
        Finding(
            key="on-pulse", quantity=f"energy of a bit, {POWER} read as power while pulses of {PULSE * 1e9:g} ns last",
            paper=claims.POWER, ours=ours, status=Status.NOT_COMPARABLE,
            reason=(
                f"{on_pulse / PULSE * 1e3:.2g} mW a junction for {PULSE * 1e9:g} ns is {on_pulse * 1e12:.2g} pJ, ours"
                f" is {made.total / on_pulse:.2f} times that with reset, read and drivers. The pulse width of the"
                " reading is assumed: nearness proves nothing."
            ),
            assumed=f"pulses of {PULSE * 1e9:g} ns, which make {on_pulse * 1e12:.2g} pJ of {POWER}; {_assumed(made)}",
        ),
        Finding(
            key="junctions", quantity="share of the junctions in the energy of a bit",
            ours=Value(value=float(made.junctions.sum()) / made.total, unit="%"), status=Status.LEFT_OPEN,
            reason=(
                f"{made.junctions.sum() * 1e12:.2f} of {made.total * 1e12:.2f} pJ; the reset takes"
                f" {made.phases[0] / made.total:.0%} of all. An energy that counts junctions alone is not that of a"
                " bit."
            ),
            assumed=_assumed(made),
        ),
    ]  # fmt: skip


def _projections(made: Measured) -> list[Finding]:
    """What a million cells would take, and what a token takes."""
    average = readings()["average"]
    return [
        Finding(
            key="million", quantity=f"power of {CELLS:,.0f} cells at {RATE_TEXT}", paper=claims.MILLION_RATE,
            ours=(
                f"{CELLS * RATE * average:.0f} W with the first reading, {CELLS * RATE * made.total:.2f} W with our"
                " circuit"
            ),
            status=Status.NOT_COMPARABLE,
            reason=(
                "The paper projects a rate and gives no power for it; both are the energy of a bit times"
                f" {CELLS * RATE / 1e9:g} Gb/s."
            ),
            assumed=_assumed(made),
        ),
        Finding(
            key="language", quantity="bits that a token takes", paper=claims.LANGUAGE_MODELS,
            ours=f"32 or {GUMBEL / 1e6:.1f} million", status=Status.NOT_COMPARABLE,
            reason=(
                f"With the inverse distribution function {XOR_RATE / 32:.0f} tokens a second follow from {XOR_TEXT}, so"
                " that nothing needs a Gb/s. With Gumbel-max over a large vocabulary one token takes"
                f" {GUMBEL / XOR_RATE:.1f} s. Which is meant is not said."
            ),
            assumed="vocabulary of 128,000, words of 32 bits",
        ),
    ]  # fmt: skip


def _answer(made: Measured) -> tuple[str, ...]:
    average, on_pulse = readings().values()
    reset, perturb, read = (1e12 * float(one) for one in made.phases)
    draws = figures.DRAWS
    latent, small = draws["latent of a GAN, 512 x 16 bit"], draws["diffusion of 64 x 64 x 3, 1000 steps of 8 bit"]
    return (
        f"{POWER} have two readings that differ by a factor of {average / on_pulse:,.0f}. As the average of a system"
        f" that gives {ALL_TEXT} they are {average * 1e9:.1f} nJ a bit, and a million cells would take"
        f" {CELLS * RATE * average:.0f} W; as power during pulses of {PULSE * 1e9:g} ns, a width that is assumed, they"
        f" are {on_pulse * 1e12:.1f} pJ. A circuit of transistors, every source counted, takes"
        f" {made.total * 1e12:.2f} ± {made.error * 1e12:.2f} pJ: reset {reset:.1f}, perturbation {perturb:.1f}, read"
        f" {read:.1f} pJ, the junctions {made.junctions.sum() / made.total:.0%} of it. At {ALL_TEXT} that is"
        f" {made.total * LANES * RATE * 1e6:.0f} µW.",
        f"The rate of {RATE_TEXT} is not that of the junction: the same circuit repeats after {made.period * 1e9:.1f}"
        f" ns, {1e-6 / made.period:.0f} million bits a second from each channel. {LANES} channels would give"
        f" {LANES / made.period / 1e6:.0f} Mb/s.",
        f"What {XOR_TEXT} are enough for depends on what is drawn: {XOR_RATE / latent:.0f} latents of a GAN a second,"
        f" but {small / XOR_RATE / 60:.1f} minutes for the noise of one diffused image of 64 x 64 pixels.",
    )


EXPERIMENT = Experiment(
    key="power",
    title="What does a bit cost, and how far do the rates go?",
    question=f"What can {POWER} mean, what does a bit cost in transistors, and for what do {ALL_TEXT} suffice?",
    run=run,
    draw={"energy": figures.draw_energy, "budget": figures.draw_budget},
    minutes=(0.2, 0.6),
)
