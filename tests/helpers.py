"""Functions that several test files use; pytest puts this folder on the path of imports."""

import os
import re
import subprocess
from functools import cache
from pathlib import Path

from mtjspice.errors import SimulatorError
from mtjspice.spice import private_ngspice
from mtjspice.spice.compile import compile_model


@cache
def compiled_model() -> Path:
    return compile_model()


@cache
def osdi_ngspice() -> Path:
    """Return an ngspice that loads compiled models; install one where there is none."""
    try:
        return private_ngspice.find_osdi_ngspice()
    except SimulatorError:
        return private_ngspice.install_osdi_ngspice()


@cache
def ngspice_version() -> str:
    printed = subprocess.run(["ngspice", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"ngspice-(\S+)", printed)
    assert found is not None, printed
    return found[1]


def run_deck(lines: list[str], library: str, folder: Path) -> dict[str, str]:
    """Run a deck with ``library`` in the place of ``{library}``; return what it printed and measured, as text."""
    deck = folder / "deck.cir"
    deck.write_text("\n".join(line.replace("{library}", library) for line in lines) + "\n", encoding="ascii")
    command = ["ngspice", "-n", "-b", deck.name]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    return dict(re.findall(r"^(\w+) +?= +(\S+)$", result.stdout, re.MULTILINE))


def simulators() -> set[int]:
    """Process numbers of the ngspice processes that this process started and that still run."""
    found = set()
    for folder in Path("/proc").iterdir():
        try:
            state = (folder / "stat").read_text()
        except OSError:
            continue
        name, _, rest = state.partition("(")[2].rpartition(")")
        fields = rest.split()
        if name.startswith("ngspice") and fields[0] != "Z" and int(fields[1]) == os.getpid():
            found.add(int(folder.name))
    return found
