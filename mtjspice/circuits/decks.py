"""Decks of the library's circuits for plain ngspice, by name."""

import re

from mtjspice.circuits.bench import EDGE, INSTANCE, Levels, Read, WordBench, Write
from mtjspice.circuits.meram import MAX_BITS, MeramWord
from mtjspice.circuits.technology import technology as load_technology
from mtjspice.device.card import load_card
from mtjspice.device.constants import TEMPERATURE_RANGE
from mtjspice.device.temperature import at_temperature
from mtjspice.errors import InputError
from mtjspice.spice.text import number

CIRCUITS = ("meram_word8",)
_WORD = re.compile(r"meram_word([1-9][0-9]*)")
CONTROL_RANGE = (0.8, 3.3)  # V, what makes a complete pulse in the typical corner within a slot


def word_bits(circuit: str) -> int:
    """Return the width of the word that a circuit name asks for; InputError for an unknown circuit."""
    match = _WORD.fullmatch(circuit)
    if match is None or int(match[1]) > MAX_BITS:
        raise InputError(
            f"unknown circuit {circuit!r}; available: {', '.join(CIRCUITS)} "
            f"(or any width, meram_word1 to meram_word{MAX_BITS})"
        )
    return int(match[1])


def parse_states(text: str | None, bits: int) -> tuple[int, ...]:
    """Turn "0110" (0 P, 1 AP, bit 0 first) into +1 and -1; alternating states by default."""
    if text is None:
        text = ("01" * bits)[:bits]
    if len(text) != bits or set(text) - {"0", "1"}:
        raise InputError(f"states {text!r} must be {bits} digits, 0 for P and 1 for AP, bit 0 first")
    return tuple(-1 if digit == "1" else 1 for digit in text)


def netlist(
    circuit: str,
    *,
    card: str = "meram100",
    technology: str = "gf180mcu",
    corner: str | None = None,
    temperature: float = 300.0,
    states: str | None = None,
    control: float = 1.2,
    write_rail: float | None = None,
    include: bool | str = False,
) -> str:
    """Return a deck that reads, writes and reads a word of fixed junctions and prints what it measures.

    ``include`` True refers to the model cards by their absolute path, a string by that path; by default they are
    copied in, so that the deck runs anywhere. InputError for anything unknown or out of range.
    """
    bits = word_bits(circuit)
    tech = load_technology(technology)
    chosen = tech.default_corner if corner is None else corner
    path = tech.model_path(chosen)
    low, high = TEMPERATURE_RANGE
    if not low <= temperature <= high:
        raise InputError(f"temperature {temperature:g} K is out of range; allowed: {low:g} to {high:g} K")
    if not CONTROL_RANGE[0] <= control <= CONTROL_RANGE[1]:
        raise InputError(
            f"control voltage {control:g} V is out of range; allowed: {CONTROL_RANGE[0]} to {CONTROL_RANGE[1]} V"
        )
    word = MeramWord(tech, at_temperature(load_card(card), temperature), bits=bits, variant="fixed")
    bench = WordBench(
        word,
        (Read(), Write(control), Read()),
        chosen,
        temperature,
        levels=Levels() if write_rail is None else Levels(write_rail=write_rail),
        states=parse_states(states, bits),
    )
    models = f'.include "{path if include is True else include}"' if include else None
    return bench.deck(models, measurements(bench))


def measurements(bench: WordBench) -> list[str]:
    """Return ``.control`` lines: run once on one thread, then print results by name, SI units."""
    timing = bench.timing
    top, bottom = bench.word.junction_nodes(INSTANCE, 0)
    latch = 2 * timing.slot + timing.latch + EDGE / 2
    end = 2 * timing.slot + 0.999 * timing.slot
    lines = [
        "set num_threads=1",
        "run",
        f"let junction_voltage = v({top})-v({bottom})",
        "meas tran amplitude max junction_voltage",
        "let half = amplitude/2",
        f"meas tran pulse_start when junction_voltage=half rise=1 from={number(timing.slot)}",
        f"meas tran pulse_end when junction_voltage=half fall=1 from={number(timing.slot)}",
        "let pulse_width = pulse_end-pulse_start",
        "print pulse_width",
    ]
    for bit in range(bench.word.bits):
        q, qb = bench.word.output_nodes(INSTANCE, bit)
        lines += [
            f"let difference{bit} = v({q})-v({qb})",
            f"meas tran sense_margin{bit} find difference{bit} at={number(latch)}",
            f"meas tran data{bit}_volts find v(data{bit}) at={number(end)}",
        ]
    lines += [
        f"meas tran charge_vdd integ i(vvdd) from={number(timing.slot)} to={number(3 * timing.slot)}",
        f"meas tran charge_vw integ i(vvw) from={number(timing.slot)} to={number(3 * timing.slot)}",
        f"let energy = -charge_vdd*{number(bench.word.technology.supply_voltage)}"
        f"-charge_vw*{number(bench.levels.write_rail)}",
        "print energy",
        "quit 0",
    ]
    return lines
