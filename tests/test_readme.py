"""The Python of the README runs as printed."""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def test_python_snippet_runs(tmp_path):
    (snippet,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", snippet], capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    probability = float(re.search(r"macrospin: (\S+)", done.stdout)[1])
    assert 0.6 < probability < 0.9
    assert "data:" in done.stdout
