"""An ngspice that loads compiled Verilog-A (OSDI), where the system's own does not.

On Debian and its derivatives apt downloads the ngspice of a later Debian release, with every library that it needs,
into the cache folder; nothing is installed, and apt's own state is not touched. The program runs on its own C library
through its own loader, so it is a separate executable for batch runs: it cannot be loaded into another process.

Environment: ``MTJSPICE_OSDI_NGSPICE`` names an ngspice with OSDI, ``MTJSPICE_DEBIAN_MIRROR`` a mirror
(`mtjspice.debian`).
"""

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from mtjspice import debian
from mtjspice.cache import cache_folder
from mtjspice.errors import SimulatorError
from mtjspice.spice import engines
from mtjspice.spice.engines import Tool

OSDI_NGSPICE_VARIABLE = "MTJSPICE_OSDI_NGSPICE"
INSTALL_COMMAND = "mtjspice doctor --install osdi-ngspice"
_PROBE = "question\n.control\nosdi {folder}/none.osdi\necho mtjspice was answered\nquit 0\n.endc\n.end\n"
_WRAPPER = """\
#!/bin/sh
# ngspice on the libraries that were downloaded with it
here='{root}'
SPICE_LIB_DIR="$here/usr/share/ngspice" SPICE_SCRIPTS="$here/usr/share/ngspice/scripts"
export SPICE_LIB_DIR SPICE_SCRIPTS
exec "$here/{loader}" --library-path "{libraries}" "$here/usr/bin/ngspice" "$@"
"""


def find_osdi_ngspice() -> Path:
    """Return an ngspice with OSDI: ``MTJSPICE_OSDI_NGSPICE``, else the usual one if it has OSDI, else the private one.

    Raises SimulatorError with the command that installs one.
    """
    asked = os.environ.get(OSDI_NGSPICE_VARIABLE)
    if asked:
        found = shutil.which(asked)
        if found is None:
            raise SimulatorError(f"{OSDI_NGSPICE_VARIABLE} is {asked!r}, which is no executable file")
        if not has_osdi(Path(found).absolute()):
            raise SimulatorError(f"{OSDI_NGSPICE_VARIABLE} is {asked!r}, an ngspice without OSDI")
        return Path(found).absolute()
    with suppress(SimulatorError):
        usual = engines.find_ngspice()
        if has_osdi(usual):
            return usual
    private = private_ngspice()
    if private.is_file() and has_osdi(private):
        return private
    raise SimulatorError(
        f"no ngspice with OSDI (43 or later) was found, which Verilog-A needs; install one with: {INSTALL_COMMAND}"
    )


def private_ngspice() -> Path:
    """Return where the private ngspice is, or would be."""
    return cache_folder() / f"ngspice-{debian.RELEASE}" / "ngspice"


@cache
def has_osdi(ngspice: Path) -> bool:
    """Return whether an ngspice runs a netlist and knows the command ``osdi``; asked once in a process."""
    with tempfile.TemporaryDirectory(prefix="mtjspice-") as folder:
        deck = Path(folder) / "ask.cir"
        deck.write_text(_PROBE.format(folder=folder), encoding="utf-8")
        try:
            done = subprocess.run(
                [str(ngspice), "-n", "-b", deck.name],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=30.0,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
    return b"mtjspice was answered" in done.stdout and b"no such command" not in done.stdout


def osdi_tool() -> Tool:
    """Return what `find_osdi_ngspice` finds, for a survey of tools."""
    try:
        path = find_osdi_ngspice()
    except SimulatorError as error:
        return Tool("ngspice with OSDI", None, None, {}, str(error))
    return Tool("ngspice with OSDI", str(path), None, {"osdi": True}, None)


# --- installing ---------------------------------------------------------------------------------------------


def install_osdi_ngspice() -> Path:
    """Download an ngspice with OSDI into the cache folder and return its executable; at once if it is there.

    Raises SimulatorError where apt is missing, no Debian mirror is known or the download fails, InputError where the
    cache folder cannot be written to.
    """
    executable = private_ngspice()
    if executable.is_file() and has_osdi(executable):
        return executable
    debian.require_tools(
        "the private ngspice",
        "install ngspice 43 or later (conda install -c conda-forge ngspice; brew install ngspice)",
    )
    debian.install("ngspice", executable, has_osdi, _finish)
    has_osdi.cache_clear()
    if not has_osdi(executable):
        raise SimulatorError(f"the downloaded ngspice does not run with OSDI on this machine: {executable}")
    return executable


def _finish(root: Path, executable: Path) -> None:
    """Remove what is not needed to run and write the start script beside ``root``."""
    for waste in ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/icons", "usr/share/fonts"):
        shutil.rmtree(root / waste, ignore_errors=True)
    loaders = sorted(root.glob("usr/lib*/**/ld-linux*.so.*")) + sorted(root.glob("lib*/**/ld-linux*.so.*"))
    if not loaders:
        raise SimulatorError("the downloaded packages hold no loader")
    final = executable.parent / "root"
    libraries = sorted({path.parent for path in root.glob("usr/lib/**/*.so*")}, key=lambda path: len(path.parts))
    spinit = root / "usr/share/ngspice/scripts/spinit"
    if spinit.is_file():  # it names the code models by the system's folders, where an older ngspice may have its own
        text = spinit.read_text(encoding="utf-8")
        spinit.write_text(re.sub(r"(?m)(?<=\s)/usr/lib", f"{final}/usr/lib", text), encoding="utf-8")
    script = root.parent / executable.name
    script.write_text(
        _WRAPPER.format(
            root=final,
            loader=loaders[0].relative_to(root),
            libraries=":".join(f"$here/{path.relative_to(root)}" for path in libraries),
        ),
        encoding="utf-8",
    )
    script.chmod(0o755)
