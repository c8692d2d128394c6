"""Findings about the energy of a Gaussian number."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.meram.converters import POLAR
from mtjspice.papers.meram.samples import LENGTH, NEW, OLD, VOLTAGE, BreakEven, Way, break_even, cheapest
from mtjspice.papers.meram.text import percent

if TYPE_CHECKING:
    from mtjspice.papers.meram.energy_measured import Measured

_COUNTED = "circuit, process; architectures of converters, counted without wires"
_SCALED = f"{_COUNTED}; lengths scaled by {LENGTH:g}, logic to {VOLTAGE:g} V, write rail and heat of junctions kept"


def sample_findings(found: "Measured") -> list[Finding]:
    """Findings about numbers."""
    even = break_even(found.ways)
    return [
        *_cheapest(found), *(_list(even, node) for node in (OLD, NEW)),
        *(_limits(even, node) for node in (OLD, NEW)), _rates(found.ways, even), _polar(found.ways),
    ]  # fmt: skip


def on_samples(found: "Measured") -> str:
    """The paragraph about numbers."""
    even = break_even(found.ways)
    said = []
    for node in (OLD, NEW):
        rows, best = _least(even, node), cheapest(found.ways, node)
        lost = [one for one in rows if one.lost]
        said.append(
            f"in {node}{' (scaled)' if node == NEW else ''} the cheapest number with junctions takes"
            f" {_energy(best.energy)} ({_made(best)}); of {len(rows)} sources of CMOS bits, each with its cheapest"
            f" converter, {len(lost)} {'takes' if len(lost) == 1 else 'take'} less"
            + (f", down to {_energy(min(one.way.energy for one in lost))}" if lost else "")
        )
    return (
        f"A number is not a bit: {'; '.join(said)}. Where converters are the same, the comparison is that of bits:"
        " CMOS wins with bits that are cheaper than the word's. Programming words to the law saves the converter and"
        f" costs {_energy(_direct(found.ways).energy)} in product words, which"
        f" {'do not pay' if _direct(found.ways).energy > cheapest(found.ways, OLD).energy else 'pay'} here. Registers"
        " and ciphers make no entropy; published true generators are listed with their nodes."
    )


def _cheapest(found: "Measured") -> list[Finding]:
    return [_number(found, node) for node in (OLD, NEW)]


def _number(found: "Measured", node: str) -> Finding:
    best = cheapest(found.ways, node)
    limits = (best.energy * (1 - found.trust), best.energy * (1 + found.trust))
    every = [one for one in found.ways if one.junctions and one.node == node]
    return Finding(
        key=f"number-{0 if node == OLD else 1}",
        quantity=f"energy of a Gaussian number with junctions, cheapest way, {node}",
        ours=Value(
            value=best.energy, unit="J", low=limits[0], high=limits[1], kind=f"energies to {percent(found.trust)}"
        )
        if node == OLD
        else f"about {_energy(best.energy)}",
        status=Status.LEFT_OPEN,
        reason=f"{_made(best)[0].upper()}{_made(best)[1:]}, error {best.error:.3f} standard deviations. All ways: "
        + "; ".join(f"{_made(one)} {_energy(one.energy)}{_error(one)}" for one in every)
        + (". A rule of thumb, to no known accuracy." if node == NEW else ". The word's logic works at 3.3 V only."),
        assumed=_SCALED if node == NEW else f"{_COUNTED}; slots of 6 ns, wires as in the plain word",
    )


def _least(even: Sequence[BreakEven], node: str) -> list[BreakEven]:
    """The cheapest converter of each source of CMOS bits."""
    rows = [one for one in even if one.way.node == node]
    return [
        min((one for one in rows if one.way.source == name), key=lambda one: one.way.energy)
        for name in dict.fromkeys(one.way.source for one in rows)
    ]


def _list(even: Sequence[BreakEven], node: str) -> Finding:
    least = _least(even, node)
    made = list(dict.fromkeys(one.way.converter for one in least))
    return Finding(
        key=f"cmos-{0 if node == OLD else 1}",
        quantity=f"energy of a Gaussian number of CMOS bits, cheapest converter of each source, {node}",
        ours="; ".join(f"{one.way.source} ({one.way.status}): {_energy(one.way.energy)}" for one in least),
        status=Status.LEFT_OPEN,
        reason=(
            f"Cheapest: {' or '.join(made)}. {sum(one.lost for one in least)} of {len(least)} take less than the"
            " cheapest with junctions. Registers and ciphers are predictable, and the shortest register has"
            f" {2**8 - 1} states; TRNG are true generators."
        ),
        assumed=_SCALED if node == NEW else _COUNTED,
    )


def _limits(even: Sequence[BreakEven], node: str) -> Finding:
    rows = [one for one in even if one.way.node == node]
    limits = {one.way.converter: one.bit_energy for one in rows}
    below = list(dict.fromkeys(f"{one.way.source} ({one.way.converter})" for one in rows if one.lost))
    return Finding(
        key=f"even-{0 if node == OLD else 1}",
        quantity=f"energy of a CMOS bit below which junctions lose, by converter, {node}",
        ours="; ".join(f"{name}: {_energy(limit) if limit > 0 else 'none'}" for name, limit in limits.items()),
        status=Status.LEFT_OPEN,
        reason="Against the cheapest number with junctions; none: the converter alone takes more. Junctions lose to "
        + (", ".join(below) if below else "none of those listed") + ".",
        assumed=_SCALED if node == NEW else _COUNTED,
    )  # fmt: skip


def _rates(ways: Sequence[Way], even: Sequence[BreakEven]) -> Finding:
    best = cheapest(ways, OLD)
    assert best.rate is not None
    assert best.area is not None
    rows = [one for one in even if one.way.converter == best.converter and one.area is not None]
    registers = [one for one in rows if one.way.source.startswith("LFSR")]
    shown = [
        f"{one.way.source}: {(one.way.rate or 0) * 1e-6:.3g} M/s on {(one.way.area or 0) * 1e12:.0f} um2; below"
        f" {(one.area or 0) * 1e12:.0f} um2, or from {(one.rate or 0) * 1e-6:.3g} M/s on"
        for one in registers
    ]
    lost = [one for one in rows if one.way.area is not None and one.area is not None and one.way.area < one.area]
    return Finding(
        key="even-rate",
        quantity=f"rate and area of a CMOS unit with a converter ({best.converter}); area below which, and rate from"
        f" which on, junctions would lose in area, {OLD}",
        ours=". ".join(shown),
        status=Status.LEFT_OPEN,
        reason=(
            f"One word with its converter makes {best.rate * 1e-6:.3g} M numbers a second on {best.area * 1e12:.0f}"
            f" um2. At equal rates junctions lose in area to {len(lost)} of {len(rows)} sources (all in the figure's"
            " data). Every unit has a converter of its own, which a slow source leaves idle. Areas are trusted to a"
            " factor of 5."
        ),
        assumed=_COUNTED,
    )


def _polar(ways: Sequence[Way]) -> Finding:
    one = next(way for way in ways if way.converter == POLAR and way.node == OLD)
    return Finding(
        key="polar",
        quantity=f"energy of the multiplications of {POLAR}, a number, without those of its bits, {OLD}",
        ours=f"at least {_energy(one.converter_energy)}",
        status=Status.LEFT_OPEN,
        reason="Five products of 16 bits with every adder changing once to its settled value; hazards, coefficients and"
        " all else left out. It buys a law without steps and with long tails, which a table does not have.",
        assumed=_COUNTED,
    )


def _direct(ways: Sequence[Way]) -> Way:
    from mtjspice.papers.meram.samples import PRODUCT_WORDS

    return next(one for one in ways if one.source == PRODUCT_WORDS and one.node == OLD)


def _made(one: Way) -> str:
    name = one.source.removeprefix("MeRAM, ")
    return name if one.converter == "none" else f"{name} and {one.converter}"


def _error(one: Way) -> str:
    return "" if one.error is None else f" (error {one.error:.3f})"


def _energy(joules: float) -> str:
    return f"{joules * 1e12:.3g} pJ"
