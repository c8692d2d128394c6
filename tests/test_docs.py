"""What the topics of docs/ print works: Python runs, study files are read. test_docs_pages.py has the other pages."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mtjspice.bits.extractors import catalogue as extractors
from mtjspice.bits.specifications import describe
from mtjspice.studies import bit_sources
from mtjspice.studies.study_file import parse_study

DOCS = Path(__file__).resolve().parent.parent / "docs"
TEXT = (DOCS / "studies.md").read_text(encoding="utf-8")
BITS = (DOCS / "bits.md").read_text(encoding="utf-8")
GENERATIVE = (DOCS / "generative.md").read_text(encoding="utf-8")
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


SLOW = {"area.md"}  # some minutes: every generator of the comparison is simulated as drawn
SNIPPETS = [
    pytest.param(snippet, id=f"{page.name}-{k}", marks=[pytest.mark.slow] if page.name in SLOW else [])
    for page in sorted(DOCS.glob("*.md"))
    if page.name not in {"studies.md", "tutorial.md", "numerics.md"}  # above; test_docs_pages.py
    for k, snippet in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
]


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_the_python_of_the_topics_runs(tmp_path, snippet):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", snippet],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_sources_and_extractors_of_the_tables_exist():
    rows = re.findall(r"^\| (`[^|]*) \|", BITS, re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`([a-z0-9-]+)(?:[:`,])", row)}
    known = {*bit_sources.KINDS, *extractors.KINDS}
    assert names & known >= known - {"peres"}
    settings = re.search(r"\| setting \| meaning \|\n.*?\n\n", BITS, re.DOTALL)
    allowed = {name.partition("=")[0] for one in describe(bit_sources.KINDS, "seed") for name, _ in one.settings}
    assert settings is not None
    assert set(re.findall(r"`([a-z_]+)`", settings[0])) - {"device", "row", "global"} <= allowed
