"""The wheel: what is in it, and that it works in an empty environment, away from the checkout."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = ("mtjspice", "models", "netlists", "layouts", "pyproject.toml", "README.md", "LICENSE")
VARIABLES = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")  # that would let the checkout in


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build from a copy, so that a test leaves nothing in the checkout."""
    pytest.importorskip("build")
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_wheel_is_complete_and_holds_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    expected = {
        f"mtjspice/{path.relative_to(ROOT / 'mtjspice').as_posix()}"
        for path in (ROOT / "mtjspice").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    for folder in ("models", "netlists", "layouts"):
        expected |= {
            f"mtjspice/data/{path.relative_to(ROOT).as_posix()}"
            for path in (ROOT / folder).rglob("*")
            if path.is_file()
        }
    assert {"mtjspice/py.typed", "mtjspice/reports/report.html", "mtjspice/data/models/cards/meram100.toml"} <= expected
    assert any(name.startswith("mtjspice/data/models/pdk/gf180mcu/") for name in expected)
    hidden = {name for name in expected if any(part.startswith(".") for part in name.split("/"))}
    inside = {name for name in names if ".dist-info/" not in name}
    assert inside == expected - hidden
    information = {name.split(".dist-info/")[1] for name in names - inside}
    assert {"METADATA", "entry_points.txt", "licenses/LICENSE"} <= information
    assert any("gf180mcu" in name for name in information)  # the licence of the model cards


def test_wheel_metadata(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = archive.read(name).decode()
    assert "Requires-Python: >=3.11" in metadata
    assert "Name: mtjspice" in metadata
    required = re.findall(r"^Requires-Dist: ([\w-]+)(?!.*extra ==)", metadata, re.MULTILINE)
    assert {"pyspice", "numpy", "numba", "typer"} <= {name.lower() for name in required}
    assert not {"pytest", "torch", "klayout"} & set(required)


@pytest.mark.slow
def test_wheel_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    environment, elsewhere = tmp_path / "environment", tmp_path / "elsewhere"
    elsewhere.mkdir()
    variables = {name: value for name, value in os.environ.items() if name not in VARIABLES}

    def run(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=elsewhere, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    run(sys.executable, "-m", "venv", environment)
    python, mtjspice = environment / "bin" / "python", environment / "bin" / "mtjspice"
    run(python, "-m", "pip", "install", "--disable-pip-version-check", wheel)
    run(python, "-m", "pip", "check")
    where = Path(run(python, "-c", "import mtjspice; print(mtjspice.__file__)").strip())
    assert where.is_relative_to(environment)

    assert run(mtjspice, "--version").strip().endswith(wheel.name.split("-")[1])
    card = json.loads(run(mtjspice, "device", "show", "meram100", "--json"))
    assert card["name"] == "meram100"
    assert card["parameters"]["diameter"]["value"] == pytest.approx(1e-7)
    tools = {tool["name"]: tool for tool in json.loads(run(mtjspice, "doctor", "--json"))}
    assert tools["libngspice"]["capabilities"]["external_sources"] is True

    run(mtjspice, "netlist", "meram_word8", "-o", "deck.cir")
    printed = run(tools["ngspice"]["path"], "-b", "deck.cir")
    measured = {name: float(value) for name, value in re.findall(r"^(\w+)\s+=\s+(-?\d\S*)", printed, re.MULTILINE)}
    assert 0.1e-9 < measured["pulse_width"] < 10e-9
    assert 0 < measured["energy"] < 1e-9
    for bit in range(8):  # each output is decided, and to the side that the margin shows
        margin, output = measured[f"sense_margin{bit}"], measured[f"data{bit}_volts"]
        assert abs(margin) > 0.1
        assert output > 3.0 if margin > 0 else output < 0.3

    # the co-simulation starts as well
    (elsewhere / "short.py").write_text(CO_SIMULATION, encoding="utf-8")
    assert 0.5 < float(run(python, "short.py")) <= 1  # still parallel


CO_SIMULATION = """
import numpy as np
from mtjspice.device import llg
from mtjspice.device.card import load_card
from mtjspice.spice.bank import Junction
from mtjspice.spice.engines import find_libngspice
from mtjspice.spice.jobs import CosimJob
from mtjspice.spice.worker import CosimWorker

deck = '''short
Vg g 0 0
Rs g t 1k
Rt t 0 1k
Vmz mz 0 external
Rm mz 0 1k
.save v(t)
.tran 1p 1n 0 10p
.end
'''
rows = llg.parameters(load_card("meram100"))[None]
start = np.array([[[0.0, 0.0, 1.0]]])
job = CosimJob(deck, (Junction("vmz", "t", "0", 0),), rows, start, (1,), 1e-9)
with CosimWorker(find_libngspice()) as worker:
    (result,) = worker.run(job)
print(result.m_z[-1, 0])
"""
