"""What docs/studies.md prints works: its Python runs, its study files are read."""

import re
import subprocess
import sys
from pathlib import Path

from mtjspice.studies.study_file import parse_study

TEXT = (Path(__file__).resolve().parent.parent / "docs" / "studies.md").read_text(encoding="utf-8")
TOML = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


def test_the_python_runs(tmp_path):
    (snippet,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", snippet], capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("12 points; mean width: [")


def test_the_files_are_read(tmp_path):
    circuit, trim, deck = TOML
    study = parse_study(circuit, "docs", tmp_path)
    assert study.space.shape == (9, 3, 2, 16)
    trimmed = parse_study(circuit.replace('"bench.voltage" = "0.8', '# "0.8') + trim, "docs", tmp_path)
    assert trimmed.trim is not None
    (tmp_path / "filter.cir").write_text("f\nVin in 0 1\nVvdd vdd 0 1\nR1 in out 1\nC1 out 0 1p\n.tran 1n 9n\n.end\n")
    assert set(parse_study(deck, "docs", tmp_path).subject.units) == {"delay", "level", "top", "spent"}
