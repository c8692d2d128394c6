"""Energy of a bit in an array by what takes it, bits for a watt, and how warm a million cells become."""

from dataclasses import dataclass
from math import ceil, exp, log2, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.experiment import Context
from mtjspice.papers.stt_trng import claims
from mtjspice.papers.stt_trng.cells import DAC, ROW
from mtjspice.papers.stt_trng.devices import CARD, LANES, PULSE, RATE

if TYPE_CHECKING:
    from mtjspice.circuits.technology import Wires

MERITS = (5e-15, 20e-15, 100e-15)  # J for each level that a converter tells apart, assumed (low, middle, high)
RANGE = 0.3  # of V50 that a DAC reaches over: three spreads of 5 % to either side, assumed
ADC_BITS = 8  # assumed
PACKAGE = 20.0  # K/W from the chip to where it is cool, assumed
OXIDE, CONDUCTIVITY, CAPACITY = 2e-6, 1.4, 1.6e6  # m, W/(m K), J/(m3 K): silicon dioxide under the cells, assumed
PITCH = (1.68e-6, 1.2e-6)  # m, of the drawn cells (`Wires.source`)


@dataclass(frozen=True)
class Share:
    """Energy (J) of a bit for one purpose, from ``low`` to ``high``; ``kind`` says what these are."""

    name: str
    value: float
    low: float
    high: float
    kind: str


@dataclass(frozen=True)
class Supply:
    """Shares of the energy of a bit, that of the junction within the first, and the nanoseconds of a cycle."""

    shares: tuple[Share, ...]
    junction: float
    period: float

    def total(self, names: tuple[str, ...]) -> tuple[float, float, float]:
        """Energy (J) of a bit for some of the shares: value, low, high (low ends and high ends added)."""
        chosen = [one for one in self.shares if one.name in names]
        return sum(one.value for one in chosen), sum(one.low for one in chosen), sum(one.high for one in chosen)


CIRCUIT, LINES, CONVERTER, READER = "junction, drivers, amplifier", "longer lines", "DAC", "ADC"


def dac_bits() -> int:
    """Bits of a DAC with the steps of `DAC` over `RANGE`."""
    return ceil(log2(RANGE / DAC))


def supply(context: Context) -> Supply:
    """Co-simulate four channels in transistors; add lines of a large array, and converters as assumed."""
    from mtjspice.circuits.benches.trng import SttTrngCycles, generate
    from mtjspice.circuits.library.trng import SttTrng
    from mtjspice.circuits.technology import technology
    from mtjspice.device.card import load_card

    channels, cycles = 4, context.effort(6, 20)
    known = technology("gf180mcu")
    circuit = SttTrng(known, card=load_card(CARD), channels=channels)
    bench = SttTrngCycles(circuit, cycles=cycles)
    found = generate(bench, context.seed % 2**32)
    each = found.energy.sum(axis=1) / channels
    mean, error = float(each.mean()), 1.96 * float(each.std(ddof=1)) / cycles**0.5
    channel = circuit.channel
    lines = line_energy(
        known.wires, channel.bit_line_capacitance + channel.source_line_capacitance, bench.reset_rail, bench.amplitude,
        bench.supply,
    )  # fmt: skip
    low, middle, high = MERITS
    levels = 2 ** dac_bits()
    return Supply(
        (
            Share(CIRCUIT, mean, mean - error, mean + error, "95 %, cycles"),
            Share(LINES, lines, lines, lines, "closed form"),
            Share(CONVERTER, middle * levels, low * levels, high * levels, "assumed range"),
            Share(READER, middle * 2**ADC_BITS, low * 2**ADC_BITS, high * 2**ADC_BITS, "assumed range"),
        ),
        float(found.junction_energy.sum(axis=1).mean()) / channels, bench.period,
    )  # fmt: skip


def line_energy(wires: "Wires | None", there: float, reset: float, perturb: float, high: float) -> float:
    """C V^2 (J) of bit and source lines of `ROW` cells for both pulses, without ``there`` (F), and of a word line.

    A word line serves `ROW` cells at a time.
    """
    if wires is None:
        return 0.0
    lines = ROW * ((wires.bit_line_capacitance or 0.0) + (wires.source_line_capacitance or 0.0))
    return max(0.0, lines - there) * (reset**2 + perturb**2) + (wires.word_line_capacitance or 0.0) * high**2


def readings() -> dict[str, float]:
    """Energy (J) of a bit in both readings of the published power: average of the system, and while pulses last."""
    power = claims.POWER.value or 0.0
    return {"average": power / (LANES * RATE), "on pulses": power / LANES * PULSE}


def per_watt(energy: float) -> float:
    """Gb/s for a watt."""
    return 1e-9 / energy


@dataclass(frozen=True)
class Warmth:
    """Rises (K) of a million cells: of the chip, of the cells over it, and for a moment by one pulse next door."""

    chip: float
    sheet: float
    neighbour: float
    neighbour_time: float  # s, when it is largest
    reach: float  # m, how far heat diffuses within a pulse


def warmth(energy: float, junction: float, cells: float, rate: float = RATE) -> Warmth:
    """Heat of cells of ``energy`` a bit, ``junction`` (J) of it in the junction of each.

    The chip by `PACKAGE`, the sheet of cells over it through `OXIDE`; a neighbour's pulse as a point on a half space
    of oxide, which is an upper limit: what lies below conducts better.
    """
    near = min(PITCH)
    time = near**2 * CAPACITY / (6 * CONDUCTIVITY)
    density = 2 * junction / CAPACITY  # J deposited on a half space
    peak = density * (2 * pi * near**2 / 3) ** -1.5 * exp(-1.5)
    return Warmth(
        energy * rate * cells * PACKAGE, junction * rate / float(np.prod(PITCH)) * OXIDE / CONDUCTIVITY, peak, time,
        sqrt(4 * CONDUCTIVITY / CAPACITY * PULSE),
    )  # fmt: skip
