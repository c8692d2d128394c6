"""`mtjspice psw` and `mtjspice trajectory` as a user meets them: units, JSON, tables, files, one line for bad input."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import xarray as xr

from mtjspice.cli import output
from mtjspice.device.card import from_toml, load_card
from mtjspice.device.switching import switching_probability, trajectory, write_error_rate
from mtjspice.reports import psw as report

# smaller and more damped: the Fokker-Planck equation needs low degrees only
SMALL = load_card("meram100").replace(diameter=60e-9, damping=0.15, cycle_to_cycle_spread=0.0, breakdown_voltage=1.55)


@pytest.fixture
def run(command_line):
    """The command line in a folder with the card small.toml: (exit code, out, err)."""
    Path("small.toml").write_text(SMALL.to_toml())
    return command_line


PSW = ("psw", "small.toml", "--voltage", "1.4:1.5:2", "--pulse-width", "0.6ns,0.9ns", "--tolerance", "1e-4")
PATH = ("trajectory", "small.toml", "--voltage", "1.4", "--pulse-width", "0.5ns", "--duration", "1ns")


def written() -> set[str]:
    return {path.name for path in Path().iterdir()} - {"small.toml"}


@pytest.mark.parametrize("command", ["psw", "trajectory"])
def test_help_has_an_example(run, command):
    code, out, _ = run(command, "--help")
    assert code == 0
    assert f"Example: mtjspice {command} meram100" in " ".join(out.split())


class TestPsw:
    def test_json(self, run):
        code, out, err = run(*PSW, "--json")
        assert (code, err) == (0, "")
        shown = json.loads(out)
        assert list(shown) == ["card", "method", "points"]
        assert (shown["card"], shown["method"]) == ("meram100", "fokker-planck")
        expected = switching_probability(SMALL, [1.4, 1.5], [6e-10, 9e-10], tolerance=1e-4)
        places = [(1.4, 6e-10), (1.4, 9e-10), (1.5, 6e-10), (1.5, 9e-10)]
        for point, (volts, width) in zip(shown["points"], places, strict=True):
            assert list(point) == ["voltage", "pulse_width", "probability", "low", "high", "trials"]
            assert (point["voltage"], point["pulse_width"], point["trials"]) == (volts, width, 0)
            at = expected.sel(voltage=volts, pulse_width=width)
            for name in ("probability", "low", "high"):
                assert point[name] == at[name].item()

    def test_macrospin_json(self, run):
        arguments = ("psw", "small.toml", "--voltage", "1.5", "--pulse-width", "6e-10", "--method", "macrospin")
        code, out, err = run(*arguments, "--trials", "200", "--seed", "7", "--json")
        assert (code, err) == (0, "")
        (point,) = json.loads(out)["points"]
        expected = switching_probability(SMALL, 1.5, 6e-10, "macrospin", trials=200, seed=7)
        assert point["trials"] == 200
        assert point["probability"] == expected["probability"].item()
        assert 0 < point["low"] < point["probability"] < point["high"] < 1

    def test_write_error_rate_and_the_other_options(self, run):
        """Units everywhere; the temperature in degrees Celsius."""
        code, out, err = run(
            "psw", "small.toml", "--voltage", "1500 mV", "--pulse-width", "600ps", "--wer", "--direction", "ap-p",
            "--temperature", "76.85 degC", "--edge", "0.1 ns", "--tolerance", "1e-6", "--json",
        )  # fmt: skip
        assert (code, err) == (0, "")
        (point,) = json.loads(out)["points"]
        expected = write_error_rate(SMALL, 1.5, 6e-10, direction="ap-p", temperature=350.0, edge=1e-10, tolerance=1e-6)
        assert list(point) == ["voltage", "pulse_width", "write_error_rate", "low", "high", "trials"]
        assert point["write_error_rate"] == expected["write_error_rate"].item()

    def test_table_and_summary(self, run):
        code, out, _ = run(*PSW)
        lines = out.splitlines()
        assert code == 0
        assert "switching probability, P to AP: card meram100, fokker-planck, 300 K" in lines[0]
        assert lines[1].split() == ["voltage", "pulse", "width", "probability", "error"]
        assert len(lines) == 6
        assert "600 ps" in lines[2]
        code, out, _ = run(*PSW[:4], "--pulse-width", "0.2ns:2ns:60", "--tolerance", "1e-3")
        lines = out.splitlines()
        assert code == 0
        assert len(lines) < 12
        for word in ("first point", "last point", "highest", "50 %"):
            assert any(line.startswith(word) for line in lines), out

    def test_files(self, run):
        code, _, err = run(*PSW, "--out", "psw.nc", "--plot", "psw.png", "--json")
        assert (code, err) == (0, "")
        with xr.open_dataset("psw.nc") as data:
            assert data["probability"].shape == (2, 2)
            assert from_toml(data.attrs["card_toml"], "provenance") == SMALL
        assert run(*PSW, "--out", "psw.csv")[0] == 0
        rows = Path("psw.csv").read_text().splitlines()
        assert rows[0] == "voltage [V],pulse_width [s],probability,low,high,trials"
        assert len(rows) == 5
        assert [float(text) for text in rows[1].split(",")[:2]] == [1.4, 6e-10]
        assert written() == {"psw.nc", "psw.png", "psw.csv"}
        assert_picture(Path("psw.png"))

    def test_breakdown_is_one_line_on_stderr(self, run):
        code, out, err = run("psw", "small.toml", "--voltage", "1.6", "--pulse-width", "0.6ns", "--tolerance", "1e-2")
        assert code == 0
        assert out
        assert err == "mtjspice: warning: card 'meram100': |V| = 1.6 V exceeds the breakdown voltage 1.55 V\n"

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            (["--voltage", "1:2"], ["--voltage", "start:stop:count"]),
            (["--voltage", "1.2 s"], ["--voltage", "wrong unit"]),
            (["--voltage", "1.4,1.4"], ["voltage 1.4 V is given more than once"]),
            (["--pulse-width", "nan"], ["--pulse-width", "nan"]),
            (["--pulse-width", "10ps"], ["pulse width 1e-11 s is shorter than the edge time 5e-11 s"]),
            (["--edge", "1V"], ["--edge", "wrong unit"]),
            (["--temperature", "600"], ["temperature 600 K is out of range", "1 to 500 K"]),
            (["--temperature", "1 m"], ["--temperature", "wrong unit"]),
            (["--method", "magic"], ["unknown method 'magic'", "fokker-planck, macrospin"]),
            (["--direction", "up"], ["unknown direction 'up'"]),
            (["--precision", "half"], ["unknown precision 'half'"]),
            (["--trials", "0"], ["number of trials", "not 0"]),
            (["--seed", "-1"], ["seed -1 is out of range"]),
            (["--tolerance", "2"], ["tolerance 2 is out of range"]),
            (["--plot", "map.jpeg"], ["cannot write map.jpeg", ".png, .pdf, .svg"]),
            (["--plot", "no/such/map.png"], ["cannot write no/such/map.png", "is no folder"]),
            (["--out", "map.xlsx"], ["cannot write map.xlsx", ".nc, .csv"]),
            (["--method", "macrospin", "--voltage", "-1.5,-60"], ["noise step 1e-12 s does not resolve", "at most"]),
        ],
    )
    def test_bad_input_is_one_line_and_exit_code_two(self, run, changes, words):
        code, out, err = run(*PSW, *changes)
        # a warning about breakdown may come first
        lines = [line for line in err.splitlines() if "warning: " not in line]
        assert (code, out, len(lines)) == (2, "", 1), err
        assert lines[0].startswith("mtjspice: ")
        for word in words:
            assert word in lines[0]
        assert written() == set()


class TestTrajectory:
    def test_json(self, run):
        code, out, err = run(*PATH, "--seed", "5", "--device", "2", "--state", "AP", "--json")
        assert (code, err) == (0, "")
        shown = json.loads(out)
        assert list(shown) == ["card", "seed", "device", "time", "magnetization", "voltage", "conductance"]
        expected = trajectory(SMALL, None, 5, 2, state=-1, voltage=1.4, pulse_width=5e-10, duration=1e-9)
        assert (shown["seed"], shown["device"]) == (5, 2)
        assert shown["time"] == expected["time"].values.tolist()
        assert shown["magnetization"]["z"] == expected["magnetization"].values[:, 2].tolist()
        assert len(shown["voltage"]) == len(shown["conductance"]) == 1001

    def test_text_and_files(self, run):
        code, out, err = run(*PATH, "--out", "path.nc", "--plot", "path.png")
        assert (code, err) == (0, "")
        assert out.startswith("trajectory of the magnetization: card meram100, seed 1, device 0\nduration:")
        assert "1 ns, 1001 samples" in out
        assert_picture(Path("path.png"))
        assert run(*PATH, "--out", "path.csv", "--interval", "0.1 ns")[0] == 0
        rows = Path("path.csv").read_text().splitlines()
        assert rows[0] == "time [s],m_x,m_y,m_z,voltage [V],conductance [S]"
        assert len(rows) == 12
        with xr.open_dataset("path.nc") as path:
            assert path["magnetization"].shape == (1001, 3)
            assert path["component"].values.astype(str).tolist() == ["x", "y", "z"]

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            (["--voltage", "1:2:3"], ["--voltage", "1:2:3"]),
            (["--state", "up"], ["unknown state 'up'", "ap, p"]),
            (["--device", "-1"], ["device -1"]),
            (["--interval", "0"], ["sampling interval 0 s"]),
            (["--duration", "-1ns"], ["duration -1e-09 s"]),
            (["--line-current", "1mA"], ["has no spin-orbit line"]),
            (["--out", "path.txt"], [".nc, .csv"]),
        ],
    )
    def test_bad_input_is_one_line_and_exit_code_two(self, run, changes, words):
        code, out, err = run(*PATH, *changes)
        assert (code, out, len(err.splitlines())) == (2, "", 1), err
        for word in words:
            assert word in err
        assert written() == set()


def made_up(voltages: int, widths: int, trials: int, name: str = "probability") -> xr.Dataset:
    """A dataset with the shape of a result; no physics."""
    volts, lengths = np.linspace(0.6, 1.8, voltages), np.linspace(1e-10, 6e-9, widths)
    value = 0.5 - 0.5 * np.cos(np.multiply.outer(volts, lengths) * 2e9)
    if name == "write_error_rate":
        value = 1e-12 ** (1 - value)
    about = {"title": "made up", "card": "none", "method": "macrospin", "temperature": 300.0, "seed": 1}
    dims = ("voltage", "pulse_width")
    return xr.Dataset(
        {
            name: (dims, value, {"long_name": f"{name.replace('_', ' ')}, P to AP"}),
            "low": (dims, value * 0.9),
            "high": (dims, value + 0.1 * (1 - value)),
            "trials": (dims, np.full(value.shape, trials)),
        },
        coords={"voltage": volts, "pulse_width": lengths},
        attrs={**about, "confidence": 0.95} if trials else about,
    )


def assert_picture(path: Path) -> None:
    """A picture of column width with something drawn on it, in more than a few shades."""
    pixels = matplotlib.image.imread(path)
    assert pixels.shape[1] == 1280
    assert 0.01 < np.mean(pixels[..., :3].min(axis=2) < 0.9) < 0.95
    assert len(np.unique((pixels[..., :3] * 255).astype(int) @ [65536, 256, 1])) > 20


class TestReport:
    @pytest.mark.parametrize("name", ["probability", "write_error_rate"])
    @pytest.mark.parametrize(("voltages", "widths"), [(1, 1), (1, 30), (30, 1), (1, 200), (2, 2), (12, 30)])
    @pytest.mark.parametrize("trials", [0, 100])
    def test_figures_of_every_shape(self, name, voltages, widths, trials):
        figure = report.figure(made_up(voltages, widths, trials, name))
        axis = figure.axes[0]
        assert "[" in axis.get_xlabel()
        if min(voltages, widths) > 1:
            assert axis.get_ylabel() == "voltage [V]"
            assert figure.axes[1].get_ylabel() == f"{name.replace('_', ' ')}, P to AP"
        else:
            assert axis.get_ylabel() == f"{name.replace('_', ' ')}, P to AP"
            intervals = axis.containers if trials and max(voltages, widths) <= 60 else axis.collections
            assert intervals
        figure.draw_without_rendering()

    @pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
    def test_saved_figures_are_whole_and_repeat(self, tmp_path, suffix):
        paths = [tmp_path / f"{k}.{suffix}" for k in range(2)]
        for path in paths:
            report.save_figure(report.figure, made_up(5, 6, 0), path)
        assert paths[0].stat().st_size > 2000
        assert paths[0].read_bytes() == paths[1].read_bytes()
        assert len(list(tmp_path.iterdir())) == 2

    def test_half_points(self):
        data = made_up(1, 400, 0)
        found = report.half_points(data)
        expected = np.pi / 2 / (0.6 * 2e9) * np.arange(1, 5, 2)
        np.testing.assert_allclose([width for _, width in found], expected[: len(found)], rtol=1e-3)
        shuffled = data.isel(pulse_width=np.random.default_rng(1).permutation(400))
        assert report.half_points(shuffled) == found
        assert len(report.half_points(made_up(30, 40, 0))) == 8
        flat = made_up(1, 400, 0)
        flat["probability"][:] = 0.2
        assert report.half_points(flat) == []


@pytest.mark.slow  # compiling the engine cannot be interrupted
def test_interrupt_is_one_line(tmp_path):
    """Ctrl-C in a long count: exit code 130 soon, one line, no file."""
    arguments = ["--voltage", "0.6:1.8:50", "--pulse-width", "1ns:6ns:200", "--method", "macrospin", "--out", "x.nc"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mtjspice.cli", "psw", "meram100", *arguments, "--trials", "100000"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # a test run in the background of a shell has the signal ignored, which children inherit
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    with process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert (process.returncode, out, err) == (130, "", "mtjspice: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_a_lost_interrupt_is_raised_at_the_next_progress(monkeypatch):
    """Python drops a KeyboardInterrupt that is raised in a destructor; the command ends all the same."""
    handler = output.Interrupt()
    monkeypatch.setattr(signal, "getsignal", lambda number: handler)
    with output.show_progress("work") as report:
        report(0.5)
        with pytest.raises(KeyboardInterrupt):
            handler(signal.SIGINT, None)
        with pytest.raises(KeyboardInterrupt):
            report(0.6)


def test_imports_stay_light():
    """The names of the package cost nothing until they are used, and help loads no solver."""
    code = (
        "import sys, mtjspice, mtjspice.cli; print([m for m in ('numba', 'xarray', 'matplotlib') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
