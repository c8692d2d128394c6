"""The Python of the README runs as printed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parent.parent / "README.md"


def test_python_snippet_runs(tmp_path):
    (snippet,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", snippet], capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    exact, probability = (float(re.search(name + r": (\S+)", done.stdout)[1]) for name in ("P_sw", "macrospin"))
    assert exact == pytest.approx(0.7403, abs=2e-4)
    assert 0.68 < probability < 0.80  # 1000 trials: four standard errors
    assert "data:" in done.stdout
