"""Layouts drawn, checked and measured on request, as tables and for JSON."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mtjspice.circuits import catalogue as circuits_catalogue
from mtjspice.circuits.circuit import Circuit
from mtjspice.errors import InputError
from mtjspice.layout import catalogue, plan, require
from mtjspice.layout.flat import flatten
from mtjspice.units import engineering

if TYPE_CHECKING:
    from mtjspice.layout.drc import Violation
    from mtjspice.layout.generate import Drawn
    from mtjspice.layout.post import Balance, Change

MOST_LINES = 10  # of violations and mismatches of one circuit that are printed

HEADER = ("layout", "area [um2]", "width x height [um]", "devices", "design rules", "rule deck", "netlist")


@dataclass(frozen=True)
class Requests:
    """What is asked for besides the area."""

    output: Path | None = None
    png: Path | None = None
    section: Path | None = None
    drc: bool = False
    deck: bool = False
    lvs: bool = False
    post: bool = False
    wires: bool = False
    ring: bool = False

    def drawn(self) -> tuple[str, ...]:
        """Names of what needs a drawing."""
        asked = {
            "GDSII": self.output, "picture": self.png, "cross-section": self.section, "design rules": self.drc,
            "rule deck": self.deck, "netlist": self.lvs, "circuit as drawn": self.post, "wires": self.wires,
            "guard ring": self.ring,
        }  # fmt: skip
        return tuple(name for name, value in asked.items() if value)


@dataclass(frozen=True)
class Result:
    """One layout; what was not asked for is None. Lengths in m, area in m2."""

    name: str
    area: float
    size: tuple[float, float]
    devices: int
    drc: "tuple[Violation, ...] | None" = None
    deck: "tuple[Violation, ...] | None" = None
    match: bool | None = None
    problems: tuple[str, ...] = ()
    post: "tuple[Change, ...] | None" = None
    wires: "tuple[Balance, ...] | None" = None

    @property
    def failed(self) -> bool:
        """Whether a rule is broken or the netlist is another."""
        return bool(self.drc) or bool(self.deck) or self.match is False

    def as_dict(self) -> dict[str, Any]:
        """For JSON, SI units."""
        found: dict[str, Any] = {
            "name": self.name, "area": self.area, "width": self.size[0], "height": self.size[1],
            "devices": self.devices,
        }  # fmt: skip
        for key, violations in (("drc", self.drc), ("deck", self.deck)):
            if violations is not None:
                rules = dict(sorted(Counter(one.rule for one in violations).items()))
                found[key] = {"violations": len(violations), "rules": rules}
        if self.match is not None:
            found["lvs"] = {"match": self.match, "problems": list(self.problems)}
        if self.post is not None:
            found["post_layout"] = {
                one.name: {"unit": one.unit, "before": _finite(one.before), "after": _finite(one.after)}
                for one in self.post
            }
        if self.wires is not None:
            found["pairs"] = [
                {"nets": [one.a, one.b], "wires": list(one.wires), "nodes": list(one.nodes)} for one in self.wires
            ]
        return found


def run(
    circuits: Mapping[str, Circuit], requests: Requests, stage: Callable[[str], None] = lambda text: None
) -> tuple[list[Result], str]:
    """Measure circuits, and draw and check them as asked; all are cells of one file.

    Returns the results and a line about what was left out for want of KLayout's Python module, empty otherwise.
    """
    for name, circuit in circuits.items():
        _check(name, circuit, requests)
    asked = requests.drawn()
    if not asked:
        return [_measured(name, circuit) for name, circuit in circuits.items()], ""
    try:
        require.klayout_db()
    except InputError as error:
        left_out = f"left out: {', '.join(asked)}; {error}"
        return [_measured(name, circuit) for name, circuit in circuits.items()], left_out
    from mtjspice.layout.canvas import new_layout
    from mtjspice.layout.generate import generate, write_gds

    layout = new_layout()
    drawn = []
    for name, circuit in circuits.items():
        stage(f"drawing {name}")
        drawn.append(generate(circuit, name, layout, ring=requests.ring))
    if requests.output is not None:
        write_gds(layout, requests.output)
    results = [_checked(one, requests, stage) for one in drawn]
    _draw(drawn[0], requests, stage)
    return results, ""


def _check(name: str, circuit: Circuit, requests: Requests) -> None:
    """Refuse what cannot be done before anything is drawn or written."""
    if requests.post and not circuits_catalogue.knows(name):
        raise InputError(f"{name} has no bench to be measured on; `mtjspice netlist --list` names the circuits")
    if requests.section is not None and not any(one.kind == "mtj" for one in flatten(circuit).devices):
        raise InputError(f"{name} has no junction to be cut through; --section is for circuits with one")


def _measured(name: str, circuit: Circuit) -> Result:
    stack = plan.planned(circuit)
    left, bottom, right, top = stack.outline
    width, height = (right - left) * 1e-9, (top - bottom) * 1e-9
    return Result(name, width * height, (width, height), len(stack.flat.devices))


def _checked(drawn: "Drawn", requests: Requests, stage: Callable[[str], None]) -> Result:
    left, bottom, right, top = drawn.outline
    size = (right - left) * 1e-9, (top - bottom) * 1e-9
    measured = Result(drawn.name, drawn.area, size, len(drawn.stack.flat.devices))
    violations = deck = match = None
    problems: tuple[str, ...] = ()
    if requests.drc:
        from mtjspice.layout.drc import violations as broken

        stage(f"design rules of {drawn.name}")
        violations = broken(drawn.layout, drawn.cell)
    if requests.lvs:
        from mtjspice.layout.lvs import compare

        stage(f"netlist of {drawn.name}")
        comparison = compare(drawn.circuit, drawn.layout, drawn.cell)
        match, problems = comparison.match, comparison.problems
    if requests.deck:
        deck = _by_deck(drawn, stage)
    balances = None
    if requests.wires:
        from mtjspice.layout.post import wired

        stage(f"wires of {drawn.name}")
        balances = wired(drawn).balances()
    return replace(
        measured, drc=violations, deck=deck, match=match, problems=problems, wires=balances,
        post=_measured_both(drawn, stage) if requests.post else None,
    )  # fmt: skip


def _measured_both(drawn: "Drawn", stage: Callable[[str], None]) -> "tuple[Change, ...]":
    """Measure a circuit as its netlist has it and as it was drawn, on the bench that the catalogue has for it."""
    from mtjspice.layout.post import changes

    stage(f"measuring {drawn.name}")
    return changes(circuits_catalogue.entry(drawn.name).bench(drawn.circuit).testbench())


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _by_deck(drawn: "Drawn", stage: Callable[[str], None]) -> "tuple[Violation, ...]":
    from mtjspice.layout.deck import run_deck
    from mtjspice.layout.generate import write_gds

    stage(f"rule deck on {drawn.name}")
    with TemporaryDirectory(prefix="mtjspice-") as folder:
        file = Path(folder) / "layout.gds"
        write_gds(drawn.layout, file)
        return run_deck(file, drawn.name)


def _draw(drawn: "Drawn", requests: Requests, stage: Callable[[str], None]) -> None:
    from mtjspice.reports import layout_figures

    if requests.png is not None:
        stage(f"picture of {drawn.name}")
        layout_figures.write_preview(drawn.layout, drawn.cell, requests.png, drawn.name)
    if requests.section is not None:
        stage(f"cross-section of {drawn.name}")
        card = next((one.card for one in drawn.circuit.own_junctions), None)
        layout_figures.write_section(drawn.layout, drawn.cell, requests.section, card)


# --- tables --------------------------------------------------------------------------------------------------


def table(results: Sequence[Result]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """One line a layout; columns that nobody asked for are left out."""
    rows = [
        (
            one.name, f"{one.area * 1e12:.2f}", f"{one.size[0] * 1e6:.2f} x {one.size[1] * 1e6:.2f}", str(one.devices),
            _count(one.drc), _count(one.deck), "" if one.match is None else "matches" if one.match else "differs",
        )
        for one in results
    ]  # fmt: skip
    kept = [k for k in range(len(HEADER)) if any(row[k] for row in rows)]
    return tuple(HEADER[k] for k in kept), [tuple(row[k] for k in kept) for row in rows]


def _count(violations: "tuple[Violation, ...] | None") -> str:
    if violations is None:
        return ""
    return f"{len(violations)} broken" if violations else "clean"


def details(results: Sequence[Result]) -> list[str]:
    """What is wrong, some lines a layout."""
    lines = []
    for one in results:
        wrong = [*map(str, one.drc or ()), *map(str, one.deck or ()), *one.problems]
        lines += [f"{one.name}: {line}" for line in wrong[:MOST_LINES]]
        if one.wires == ():
            lines.append(f"{one.name}: no differential nets")
        if len(wrong) > MOST_LINES:
            lines.append(f"{one.name}: and {len(wrong) - MOST_LINES} more")
    return lines


def post_table(results: Sequence[Result]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Measurements before and after, of all layouts that were measured."""
    rows: list[tuple[str, ...]] = [
        (
            one.name, change.name, engineering(change.before, change.unit), engineering(change.after, change.unit),
            f"{change.ratio:.3f}" if 1e-3 < change.ratio < 1e3 else "-",  # noise beside zero
        )
        for one in results
        for change in one.post or ()
    ]  # fmt: skip
    return ("layout", "measurement", "netlist", "as drawn", "ratio"), rows


def pair_table(results: Sequence[Result]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Capacitances of differential nets."""
    rows: list[tuple[str, ...]] = [
        (
            one.name, f"{pair.a}, {pair.b}", *(engineering(value, "F") for value in (*pair.wires, *pair.nodes)),
            f"{100 * pair.difference:.1f} %",
        )
        for one in results
        for pair in one.wires or ()
    ]  # fmt: skip
    return ("layout", "nets", "wires", "", "with transistors", "", "difference"), rows


def listing() -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Every layout by name, with what it is."""
    return ("layout", "about"), [(one["name"], one["about"]) for one in listing_as_json()]


def listing_as_json() -> list[dict[str, str]]:
    """The same."""
    small = [{"name": one.name, "about": one.about} for one in catalogue.SMALL.values()]
    return small + [{"name": e.name, "about": e.about} for e in circuits_catalogue.ENTRIES.values()]
