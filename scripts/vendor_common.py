"""What the scripts that vendor published model cards have in common.

Statements of a library, the wheel it comes from, the vendored files and what says where they come from, runs of
ngspice, and the command line.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
TECHNOLOGIES = REPOSITORY / "models" / "pdk"
LICENCE_SHA256 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
LINE_WIDTH = 1000  # ngspice joins continuation lines one by one: few long lines load faster than many short ones
RING_STAGES = 11


class VendorError(Exception):
    """Something is not as these scripts expect: one line says what."""


@dataclass(frozen=True)
class Published:
    """A published package, what is taken from it, and where that goes."""

    name: str  # of the technology
    package: str
    version: str
    wheel_sha256: str
    members: str  # folder of the model files in the wheel
    sources: tuple[str, ...]
    licence: Mapping[str, str]
    kept: tuple[str, ...]
    dropped: tuple[str, ...]

    @property
    def target(self) -> Path:
        return TECHNOLOGIES / self.name

    @property
    def reference(self) -> Path:
        return REPOSITORY / "tests" / "data" / f"{self.name}_reference.json"

    @property
    def script(self) -> str:
        return f"scripts/vendor_{self.name}.py"


# --- statements of a library --------------------------------------------------------------------------------


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


# --- the wheel ---------------------------------------------------------------------------------------------


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def download(package: str, version: str, folder: Path) -> Path:
    """Fetch the wheel with pip."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    result = subprocess.run(
        [*command, "--dest", str(folder), f"{package}=={version}"],
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = sorted(folder.glob("*.whl"))
    if result.returncode != 0 or len(wheels) != 1:
        reason = (result.stderr.strip().splitlines() or ["no wheel"])[-1]
        raise VendorError(f"pip could not download {package} {version}: {reason}")
    return wheels[0]


def read_wheel(published: Published, wheel: Path) -> dict[str, bytes]:
    """Return the source files after checking the wheel's checksum."""
    try:
        data = wheel.read_bytes()
    except OSError as error:
        raise VendorError(f"cannot read {wheel}: {error.strerror}") from None
    if sha256(data) != published.wheel_sha256:
        raise VendorError(
            f"{wheel.name} is not the published {published.package} {published.version}: sha256 {sha256(data)}"
        )
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(published.members + name) for name in published.sources}


# --- the vendored files ------------------------------------------------------------------------------------


def licence_text() -> str:
    """Return the full text of the Apache License 2.0, as a vendored copy or Debian's base-files has it."""
    for path in (*sorted(TECHNOLOGIES.glob("*/LICENSE")), Path("/usr/share/common-licenses/Apache-2.0")):
        if path.is_file() and sha256(path.read_bytes()) == LICENCE_SHA256:
            return path.read_text(encoding="ascii")
    raise VendorError("no copy of the Apache License 2.0 found; Debian's base-files has one")


def with_provenance(published: Published, sources: Mapping[str, bytes], cards: Mapping[str, str]) -> dict[str, str]:
    """Return every file to be vendored by name: the cards, their licence, and where they come from."""
    written = {**cards, "LICENSE": licence_text()}
    provenance = {
        "package": published.package,
        "version": published.version,
        "wheel_sha256": published.wheel_sha256,
        "sources": {
            published.members + name: {"sha256": sha256(data), "bytes": len(data)} for name, data in sources.items()
        },
        **published.licence,
        "modified": True,
        "kept": published.kept,
        "dropped": published.dropped,
        "written_by": published.script,
        "files": {name: {"sha256": sha256(text.encode())} for name, text in sorted(written.items())},
    }
    written["provenance.json"] = json.dumps(provenance, indent=2) + "\n"
    return written


def write(target: Path, wanted: Mapping[str, str]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name, text in wanted.items():
        (target / name).write_bytes(text.encode())
    print(f"wrote {len(wanted)} files to {target.relative_to(REPOSITORY)}")


def check(target: Path, wanted: Mapping[str, str]) -> int:
    """Compare the vendored files with what would be written."""
    wrong = [
        name
        for name, text in wanted.items()
        if not (target / name).is_file() or (target / name).read_bytes() != text.encode()
    ]
    wrong += [path.name for path in target.glob("*.inc") if path.name not in wanted]
    for name in wrong:
        print(f"{target.relative_to(REPOSITORY) / name}: not what this script writes", file=sys.stderr)
    if not wrong:
        print(f"{len(wanted)} files are as this script writes them")
    return 1 if wrong else 0


# --- decks and their runs in ngspice -----------------------------------------------------------------------


def control(*commands: str) -> list[str]:
    # one thread: OpenMP costs time on small circuits; "quit 0": without .print a batch run returns 1
    settings = ["set num_threads=1", "set numdgt=15", "set measureprec=15"]
    return [".control", *settings, *commands, "quit 0", ".endc", ".end"]


def ring(pfet: str, nfet: str, supply: float, transient: str) -> list[str]:
    """Delay of one inverter, made of the lines ``pfet`` and ``nfet``, in a ring of 11 at 27 C."""
    stages = [f"xi{i} n{i} n{i % RING_STAGES + 1} vdd inv" for i in range(1, RING_STAGES + 1)]
    return [
        "inverter ring",
        "{library}",
        ".temp 27",
        ".subckt inv a y vdd",
        pfet,
        nfet,
        ".ends",
        f"vdd vdd 0 {supply}",
        *stages,
        ".ic v(n1)=0 v(n3)=0",
        f".tran {transient}",
        *control(
            "run",
            f"meas tran first when v(n1)={supply / 2:g} rise=2",
            f"meas tran second when v(n1)={supply / 2:g} rise=3",
            f"let delay=(second-first)/{2 * RING_STAGES}",
            "print delay",
            "let mean_n1=mean(v(n1))",
            "print mean_n1",
        ),
    ]


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


def reference_text(
    published: Published, checksum: Mapping[str, str], decks: Mapping[str, list[str]], cases: list[dict[str, object]]
) -> str:
    """Return what is stored of runs on the full library, which ``checksum`` identifies."""
    return (
        json.dumps(
            {
                "about": f"Printed by ngspice on the full library: {published.script} --reference.",
                "ngspice": ngspice_version(),
                **checksum,
                "decks": decks,
                "cases": cases,
            },
            indent=1,
        )
        + "\n"
    )


# --- command -----------------------------------------------------------------------------------------------


def command_line(
    published: Published,
    description: str,
    files: Callable[[Mapping[str, bytes]], Mapping[str, str]],
    reference: Callable[[Mapping[str, bytes]], str],
    arguments: Sequence[str] | None = None,
    note: str = "",
) -> int:
    """Do what the command line asks for; return the exit code.

    ``files`` and ``reference`` make the texts from the source files; ``note`` is said of a written reference.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--wheel", type=Path, help=f"a local wheel of {published.package} {published.version}")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="compare with the vendored files, write nothing")
    mode.add_argument("--reference", action="store_true", help="run ngspice on the full library, store the numbers")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            wheel = options.wheel or download(published.package, published.version, Path(folder))
            sources = read_wheel(published, wheel)
        if options.reference:
            text = reference(sources)
            published.reference.parent.mkdir(parents=True, exist_ok=True)
            published.reference.write_text(text, encoding="ascii")
            print(f"wrote {published.reference.relative_to(REPOSITORY)}{note}")
            return 0
        wanted = files(sources)
        if options.check:
            return check(published.target, wanted)
        write(published.target, wanted)
    except (VendorError, subprocess.TimeoutExpired, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
