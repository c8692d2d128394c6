"""Compile Verilog-A to a shared library that simulators load (OSDI), once for each source and compiler.

Entries of the cache folder are named after the hash of what they were made from, and appear whole or not at all; any
number of processes may compile at the same time. Code is generated for the generic processor of the architecture, so
that a cache on a shared home directory serves every machine, and no result depends on where it was compiled.
"""

import hashlib
import platform
import re
import tempfile
from pathlib import Path

from mtjspice import resources
from mtjspice.cache import cache_folder
from mtjspice.errors import InputError, SimulatorError
from mtjspice.files import output_folder
from mtjspice.programs import run_program
from mtjspice.spice.engines import find_openvaf

TIME_LIMIT = 120.0  # s; the model takes about one
LOG_LINES = 30

_INCLUDE = re.compile(r'^\s*`include\s+"([^"]+)"', re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def model_source() -> Path:
    """Return the Verilog-A file of the junction that comes with mtjspice."""
    return Path(str(resources.data("models"))) / "verilog-a" / "mtj.va"


def compile_model(source: Path | None = None, cache: Path | None = None) -> Path:
    """Return the compiled model (``.osdi``) of a Verilog-A file, from the cache if it is there.

    ``source`` defaults to the junction model, ``cache`` to `cache_folder`. Raises SimulatorError where OpenVAF is
    missing or rejects the source (with its lines), InputError where the source cannot be read or the cache folder
    cannot be written to.
    """
    file = source or model_source()
    compiler = find_openvaf()
    key = hashlib.sha256()
    for part in (*_contents(file, set()), _version(compiler).encode(), platform.machine().encode()):
        key.update(len(part).to_bytes(8, "little") + part)
    folder = (cache or cache_folder()) / "osdi"
    compiled = folder / f"{file.stem}-{key.hexdigest()[:20]}.osdi"
    if compiled.is_file():
        return compiled
    output_folder(folder)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".compiling-") as temporary:
        result = Path(temporary) / compiled.name
        _compile(compiler, file, result)
        result.replace(compiled)  # the loser of a race replaces the file by an equal one
    return compiled


def _contents(file: Path, seen: set[Path]) -> list[bytes]:
    """Return the bytes of a source and of what it includes from its own folder."""
    seen.add(file)
    try:
        text = file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the Verilog-A source {file}: {error.strerror or error}") from None
    parts = [text]
    for name in _INCLUDE.findall(text.decode(errors="replace")):
        included = file.parent / name
        if included.is_file() and included not in seen:  # else one of the compiler's own
            parts += _contents(included, seen)
    return parts


def _version(compiler: Path) -> str:
    return run_program([str(compiler), "--version"], TIME_LIMIT)[1]


def _compile(compiler: Path, source: Path, result: Path) -> None:
    command = [str(compiler), "--target_cpu", "generic", "-o", str(result), str(source.absolute())]
    code, printed = run_program(command, TIME_LIMIT)
    lines = [line for line in _COLOUR.sub("", printed).splitlines() if line.strip()]
    if code == 0 and result.is_file():
        return
    first = next((line.strip() for line in lines if "error" in line.lower()), f"exit code {code}")
    raise SimulatorError(f"OpenVAF does not compile {source}: {first}", lines[-LOG_LINES:])
