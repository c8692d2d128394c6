"""The Python of the README runs as printed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parent.parent / "README.md"


SNIPPETS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def run(snippet: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", snippet], capture_output=True, text=True, cwd=folder, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_first_steps_run(tmp_path):
    printed = run(SNIPPETS[0], tmp_path)
    exact, probability = (float(re.search(name + r": (\S+)", printed)[1]) for name in ("P_sw", "macrospin"))
    assert exact == pytest.approx(0.7403, abs=2e-4)
    assert 0.68 < probability < 0.80  # 1000 trials: four standard errors
    assert "data:" in printed


def test_own_circuit_runs(tmp_path):
    printed = run(SNIPPETS[1], tmp_path)
    still, moving = (float(re.search(name + r" (\S+)", printed)[1]) for name in ("resistor", "cosim"))
    assert still == pytest.approx(moving, rel=0.2)
    assert 1e-14 < still < 1e-12
    assert "divider in sky130 ss" in printed
    assert len(SNIPPETS) == 2
