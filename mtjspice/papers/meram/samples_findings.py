"""Findings about the energy of a Gaussian number."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.meram.converters import POLAR
from mtjspice.papers.meram.energy_figures import AREA_TRUST
from mtjspice.papers.meram.samples import HOW, LENGTH, NEW, OLD, VOLTAGE, BreakEven, Way, break_even, cheapest
from mtjspice.papers.meram.text import percent

if TYPE_CHECKING:
    from mtjspice.papers.meram.energy_measured import Measured

_COUNTED = "circuit, process; architectures of converters, counted without wires and level shifters"
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
            f"{'Scaled to' if node == NEW else 'In'} {node} the cheapest one with junctions takes"
            f" {'about ' if node == NEW else ''}{_energy(best.energy, 2 if node == NEW else 3)} ({_made(best)});"
            f" {len(lost)} of {len(rows)} sources of CMOS bits {'takes' if len(lost) == 1 else 'take'} less"
            + (f", down to {_energy(min(one.way.energy for one in lost), 2)}" if lost else "") + "."
        )  # fmt: skip
    direct = _direct(found.ways).energy
    return (
        f"A Gaussian number takes its bits and a converter, here the cheapest for each source."
        f" {' '.join(said)} With the same converter the cheaper bits win. Bits programmed to the law, each by itself"
        f" (product words), need no converter, and take {_energy(direct)}: they"
        f" {'do not pay' if direct > cheapest(found.ways, OLD).energy else 'pay'} here."
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
        else f"about {_energy(best.energy, 2)}",
        status=Status.LEFT_OPEN,
        reason=f"{_made(best)[0].upper()}{_made(best)[1:]}, error {best.error:.3f} standard deviations. All ways: "
        + "; ".join(f"{_made(one)} {_energy(one.energy, 3 if node == OLD else 2)}{_error(one)}" for one in every)
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
        ours="; ".join(
            f"{one.way.source} ({HOW[one.way.status]}): {_energy(one.way.energy, 3 if node == OLD else 2)}"
            for one in least
        ),
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
    digits = 3 if node == OLD else 2
    limits = {one.way.converter: one.bit_energy for one in rows}
    below = list(dict.fromkeys(f"{one.way.source} ({one.way.converter})" for one in rows if one.lost))
    return Finding(
        key=f"even-{0 if node == OLD else 1}",
        quantity=f"energy of a CMOS bit below which junctions lose, by converter, {node}",
        ours="; ".join(f"{name}: {_energy(limit, digits) if limit > 0 else 'none'}" for name, limit in limits.items()),
        status=Status.LEFT_OPEN,
        reason="Against the cheapest number with junctions; none: the converter alone takes more. Junctions lose to "
        + (", ".join(below) if below else "none of those listed") + ".",
        assumed=_SCALED if node == NEW else _COUNTED,
    )  # fmt: skip


def _rates(ways: Sequence[Way], even: Sequence[BreakEven]) -> Finding:
    best = cheapest(ways, OLD)
    rows = [one for one in even if one.way.converter == best.converter and one.area is not None]
    registers = [one for one in rows if one.way.source.startswith("LFSR")]
    # supplies change neither rate nor area
    shown = dict.fromkeys(
        f"{one.way.source.partition(',')[0]}: {_area(one.area)} and {_rate(one.rate)} ({_area(one.way.area)} and"
        f" {_rate(one.way.rate)})"
        for one in registers
    )
    ratios = [one.way.area / one.area for one in rows if one.way.area and one.area]
    lost, sure = sum(ratio < 1 for ratio in ratios), sum(ratio > AREA_TRUST for ratio in ratios)
    return Finding(
        key="even-rate",
        quantity=f"area below which, and rate from which on, a shift register with a converter ({best.converter}) would"
        f" beat junctions in area, {OLD} (in brackets: its own)",
        ours="; ".join(shown),
        status=Status.LEFT_OPEN,
        reason=(
            f"One word with its converter makes {_rate(best.rate)} on {_area(best.area)}. At equal rates junctions take"
            f" more area than {lost} of {len(ratios)} sources (all in the figure's data), and surely less than {sure},"
            f" areas being trusted to a factor of {AREA_TRUST:g}. Every unit has a converter of its own, which a slow"
            " source leaves idle."
        ),
        assumed=_COUNTED,
    )


def _area(square_metres: float | None) -> str:
    assert square_metres is not None
    return f"{square_metres * 1e12:.0f} um2"


def _rate(each_second: float | None) -> str:
    assert each_second is not None
    return f"{each_second * 1e-6:.3g} M/s"


def _polar(ways: Sequence[Way]) -> Finding:
    one = next(way for way in ways if way.converter == POLAR and way.node == OLD)
    return Finding(
        key="polar",
        quantity=f"energy of the multiplications of {POLAR} for a number, its bits left out, {OLD}",
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


def _energy(joules: float, digits: int = 3) -> str:
    return f"{float(f'{joules * 1e12:.{digits}g}'):g} pJ"
