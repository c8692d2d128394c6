"""The Python of the README runs as printed; its links lead somewhere, its commands exist."""

import re
import subprocess
import sys
from pathlib import Path

import typer

from mtjspice import cli

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_own_circuit_runs(tmp_path):
    (snippet,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", snippet],
        capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    energy, m_z = map(float, re.fullmatch(r"(\S+) fJ, m_z ends at (\S+)\n", done.stdout).groups())
    assert 10 < energy < 100
    assert abs(m_z) > 0.8  # relaxed


def test_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#]+)", README)
    assert len(links) > 20
    for link in links:
        assert (ROOT / link).is_file(), link


def test_commands_exist():
    commands = typer.main.get_command(cli.app).commands
    named = set(re.findall(r"mtjspice ([a-z-]+)", README))
    for row in re.findall(r"^\|[^|]*\| (`mtjspice [^|]*) \|", README, re.MULTILINE):
        named |= {word.removeprefix("mtjspice ").split()[0] for word in re.findall(r"`([^`]+)`", row)}
    assert {"psw", "simulate", "study", "schematic", "tokens", "reproduce"} <= named
    assert named <= commands.keys()


def test_short_enough_to_read():
    assert len(README.splitlines()) <= 150
