"""Technologies of plain MOSFET model cards: what is vendored of them, reference runs, command line.

A library of plain cards (``.model`` without sub-circuits) is trimmed to one n and one p transistor and packed, one
file a corner; each file ends with a sub-circuit around either transistor, called like those of a foundry library.
"""

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vendor_common import (
    Published,
    command_line,
    control,
    pack,
    reference_text,
    ring,
    run_deck,
    with_provenance,
)

POINTS = 6  # intervals of a swept voltage

HEADER = """\
* {title}: corner "{corner}"
*
{notice}
*
* MODIFIED for mtjspice: extracted from {source} as published in {package} {version}.
* Only the cards of {n} and {p} that provenance.json beside this file lists are kept;
* comments are dropped and lines joined; no number is changed. The two sub-circuits at the end are added.
*
* Junction areas and perimeters (ad as pd ps) default to 0: pass them. There are no mismatch terms: par does nothing.
"""

SUBCIRCUIT = """\
.subckt {name} d g s b w={width} l={length} as=0 ad=0 ps=0 pd=0 par=1 m=1
m0 d g s b {model} w=w l=l as=as ad=ad ps=ps pd=pd m=m
.ends {name}
"""


@dataclass(frozen=True)
class Transistor:
    """One kind: its sub-circuit here, its model in the library, and sizes (um) to compare the two at.

    The first of the sizes is that of the ring oscillator and the curves.
    """

    subcircuit: str
    model: str
    sizes: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class CardLibrary(Published):
    """A published library of plain cards and what is taken from it; lengths in um as designers write them."""

    title: str
    library: str  # the file with a section for each corner
    corners: Mapping[str, tuple[str, str]]  # name here: section of the library, file with its cards
    nfet: Transistor
    pfet: Transistor
    supply_voltage: float
    diffusion_length: float
    ring_stop: str  # long enough for three periods in the slowest corner
    notice: Callable[[Mapping[str, str]], str]  # licence notice, from the texts of the sources
    select: Callable[[str], Sequence[str]]  # the kept statements of a file


# --- the vendored files ------------------------------------------------------------------------------------


def files(library: CardLibrary, sources: Mapping[str, bytes]) -> dict[str, str]:
    """Return every file to be vendored by name."""
    texts = {name: data.decode("ascii") for name, data in sources.items()}
    cards = {f"{corner}.inc": _corner_text(library, corner, texts) for corner in library.corners}
    return with_provenance(library, sources, cards)


def _corner_text(library: CardLibrary, corner: str, texts: Mapping[str, str]) -> str:
    source = library.corners[corner][1]
    header = HEADER.format(
        title=library.title,
        corner=corner,
        notice=library.notice(texts),
        source=source,
        package=library.package,
        version=library.version,
        n=library.nfet.model,
        p=library.pfet.model,
    )
    cards = [line for statement in library.select(texts[source]) for line in pack(statement)]
    wrappers = "".join(
        SUBCIRCUIT.format(name=fet.subcircuit, model=fet.model, width=f"{width:g}u", length=f"{length:g}u")
        for fet in (library.nfet, library.pfet)
        for width, length in fet.sizes[:1]
    )
    return header + "".join(f"{line}\n" for line in cards) + wrappers


# --- decks that the full library and the vendored files both run --------------------------------------------


def decks(library: CardLibrary) -> dict[str, list[str]]:
    """Return the decks by name, with calls of the sub-circuits and ``{library}`` for the cards."""
    return {"ring": _ring(library), "curves": _curves(library), "sizes": _sizes(library)}


def with_plain_cards(library: CardLibrary, lines: Sequence[str]) -> list[str]:
    """Return a deck with its calls of the sub-circuits replaced by devices on the cards of the full library."""
    result = list(lines)
    for fet in (library.nfet, library.pfet):
        call = re.compile(rf"x(\S+ .*) {fet.subcircuit} (.*) par=\d+")
        result = [call.sub(rf"m\1 {fet.model} \2", line) for line in result]
    return result


def full_library(library: CardLibrary, folder: Path, corner: str) -> str:
    """Return the statement that reads a corner of the full library, whose files lie in ``folder``."""
    return f".lib {folder}/{library.library} {library.corners[corner][0]}"


def _device(
    library: CardLibrary, name: str, nodes: str, fet: Transistor, size: tuple[float, float], multiplier: int = 1
) -> str:
    """Return a call with the junctions of contacted diffusions.

    The numbers are written as ngspice writes them into an expanded sub-circuit: other texts of the same numbers
    are read with another last bit, and the currents of the two forms of a deck would then differ in theirs.
    """
    width, length, end = size[0] * 1e-6, size[1] * 1e-6, library.diffusion_length * 1e-6
    area, perimeter = width * end, 2 * (width + end)
    values = {"w": width, "l": length, "ad": area, "as": area, "pd": perimeter, "ps": perimeter, "m": multiplier}
    text = " ".join(f"{key}={value:.15e}" for key, value in values.items())
    return f"{name} {nodes} {fet.subcircuit} {text} par={multiplier}"


def _ring(library: CardLibrary) -> list[str]:
    return ring(
        _device(library, "xp", "y a vdd vdd", library.pfet, library.pfet.sizes[0]),
        _device(library, "xn", "y a 0 0", library.nfet, library.nfet.sizes[0]),
        library.supply_voltage,
        f"1p {library.ring_stop}",
    )


def _curves(library: CardLibrary) -> list[str]:
    """Drain currents over the gate voltage (linear and saturated) and over the drain voltage."""
    supply = library.supply_voltage
    step = f"{supply / POINTS:.6g}"
    commands = []
    sweeps = (("linear", "vg", "vd", 0.05), ("saturated", "vg", "vd", supply), ("output", "vd", "vg", supply))
    for sign, kind in ((1, "n"), (-1, "p")):
        for name, swept, fixed, value in sweeps:
            commands += [
                f"alter {fixed}{kind} dc={sign * value:g}",
                f"dc {swept}{kind} 0 {sign * supply:g} {'-' if sign < 0 else ''}{step}",
                *(f"let {name}_{kind}{i}=i(vd{kind})[{i}]" for i in range(POINTS + 1)),
                *(f"print {name}_{kind}{i}" for i in range(POINTS + 1)),
            ]
    return [
        "transistor curves",
        "{library}",
        "vgn gn 0 0",
        "vdn dn 0 0",
        _device(library, "xn", "dn gn 0 0", library.nfet, library.nfet.sizes[0]),
        "vgp gp 0 0",
        "vdp dp 0 0",
        _device(library, "xp", "dp gp 0 0", library.pfet, library.pfet.sizes[0]),
        *control(*commands),
    ]


def _sizes(library: CardLibrary) -> list[str]:
    """Drain current and both ends' charging currents of transistors of many sizes, half on; the last is threefold."""
    supply = library.supply_voltage
    lines = ["transistors of many sizes", "{library}"]
    names = []
    for kind, fet, sign in (("n", library.nfet, 1), ("p", library.pfet, -1)):
        lines.append(f"vg{kind} g{kind} 0 {sign * 0.6 * supply:g}")
        for index, size in enumerate((*fet.sizes, fet.sizes[0])):
            name = f"{kind}{index}"
            lines += [
                f"vd{name} d{name} 0 dc {sign * supply:g} ac 1",
                f"vs{name} s{name} 0 dc 0 ac 2",
                _device(
                    library, f"x{name}", f"d{name} g{kind} s{name} 0", fet, size, 3 if index == len(fet.sizes) else 1
                ),
            ]
            names.append(name)
    return [
        *lines,
        *control(
            "op",
            *(f"let dc_{name}=i(vd{name})" for name in names),
            *(f"print dc_{name}" for name in names),
            "ac lin 1 1e9 1e9",
            *(f"let {end}_{name}=imag(i(v{end}{name}))" for name in names for end in "ds"),
            *(f"print {end}_{name}" for name in names for end in "ds"),
        ),
    ]


def reference(library: CardLibrary, sources: Mapping[str, bytes]) -> str:
    """Run every deck in every corner of the full library."""
    cases: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, data in sources.items():
            (Path(folder) / name).write_bytes(data)
        for corner in library.corners:
            for deck, lines in decks(library).items():
                values = run_deck(with_plain_cards(library, lines), full_library(library, Path(folder), corner))
                cases.append({"deck": deck, "corner": corner, "values": values})
    return reference_text(library, {"wheel_sha256": library.wheel_sha256}, decks(library), cases)


# --- command -----------------------------------------------------------------------------------------------


def run(library: CardLibrary, description: str, arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; return the exit code."""
    return command_line(library, description, partial(files, library), partial(reference, library), arguments)
