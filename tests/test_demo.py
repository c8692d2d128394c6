"""The main job at reduced effort: results, determinism, and a report that stands alone."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import xarray as xr

from mtjspice import demo
from mtjspice.bits import files

EFFORT = demo.Effort(repeats=1, predicted_trials=300, trim_trials=300, chunks=2, cycles=2, emulated_bits=1_000_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "made" / "here"
    demo.run(out, 5, EFFORT)
    return out


@pytest.fixture(scope="module")
def summary(folder):
    return json.loads((folder / "summary.json").read_text())


def test_summary_has_what_is_promised(summary):
    assert summary["seed"] == 5
    assert len(summary["switching_curve"]) >= 12
    for point in summary["switching_curve"]:
        assert {"pulse_width", "probability", "low", "high", "predicted"} <= set(point)
        assert 1e-10 < point["pulse_width"] < 1e-8
        assert 0 <= point["low"] <= point["probability"] <= point["high"] <= 1
    assert 0 < summary["energy_per_bit"]["mtj"] < 0.2 * summary["energy_per_bit"]["total"] < 1e-12
    assert 5e-10 < summary["write_latency"] < 6e-9
    assert 5e-10 < summary["read_latency"] < 6e-9
    assert summary["sense_margin_range"]["minimum"] > 0.1
    assert summary["read_error_rate_trials"] == 32
    assert summary["bits"]["cosimulated"] == 32
    assert summary["bits"]["emulated"] == 1_000_000
    assert 0 <= summary["bits"]["ones_fraction"] <= 1
    assert summary["engine"].startswith("ngspice-")
    assert summary["agreement"]["p_value"] > 1e-4


def test_every_estimate_has_its_interval(summary):
    for place, names in (
        (summary, ("write_latency", "read_latency", "sense_margin", "read_error_rate", "reset_error_rate")),
        (summary["energy_per_bit"], ("total", "mtj")),
        (summary["bits"], ("ones_fraction",)),
        (summary["bits"]["emulator"], ("p01", "p10")),
        (summary["half_point"], ("predicted",)),
    ):
        for name in names:
            assert place[f"{name}_interval"]["low"] <= place[name] <= place[f"{name}_interval"]["high"], name


def test_energy_parts_add_up(summary):
    energy = summary["energy_per_bit"]
    assert sum(energy["by_phase"].values()) == pytest.approx(energy["total"], rel=1e-12, abs=0)
    assert sum(energy["by_source"].values()) == pytest.approx(energy["total"], rel=1e-12, abs=0)


def test_bits_and_curve_are_on_disk_with_their_origin(folder, summary):
    cosimulated = files.read(folder / "bits_cosimulated.bin")
    emulated = files.read(folder / "bits_emulated.bin")
    assert (cosimulated.origin, emulated.origin) == ("co-simulated", "emulated")
    assert cosimulated.ones_fraction == summary["bits"]["ones_fraction"]
    assert len(emulated) == 1_000_000
    assert "entropy" in json.loads((folder / "bits_emulated.bin.json").read_text())["notice"]
    with xr.open_dataset(folder / "switching_curve.nc") as curve:
        np.testing.assert_array_equal(curve.probability, [point["probability"] for point in summary["switching_curve"]])
        assert curve.attrs["card"] == "meram100"


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.links += [found[key] for key in ("src", "href") if found.get(key)]
        if tag == "img":
            self.images.append(found)
        if found.get("id"):
            self.ids.append(found["id"])


def test_report_is_self_contained(folder):
    text = (folder / "report.html").read_text()
    page = _Page()
    page.feed(text)
    assert all(link.startswith("data:") for link in page.links)
    assert {"waveforms", "switching-curve", "energy", "bits", "diffusion"} <= set(page.ids)
    assert len(page.images) >= 7
    assert all(image["alt"] for image in page.images)
    assert not re.search(r"\bnan\b|None|Traceback", re.sub(r'"data:[^"]*"', "", text))


def test_same_seed_repeats_to_the_byte_and_another_changes_the_bits(folder, tmp_path):
    small = replace(EFFORT, predicted_trials=100, trim_trials=100, cycles=1, widths=(0.52e-9, 1.0e-9, 1.7e-9))
    first, again, other = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    demo.run(first, 7, small)
    demo.run(again, 7, small)
    demo.run(other, 8, small)
    for path in sorted(first.iterdir()):
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name
    for name in ("bits_cosimulated.bin", "bits_emulated.bin"):
        assert (first / name).read_bytes() != (other / name).read_bytes()


def test_failure_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("MTJSPICE_LIBNGSPICE", str(tmp_path / "missing.so"))
    with pytest.raises(Exception, match="MTJSPICE_LIBNGSPICE"):
        demo.run(tmp_path / "out", 1, EFFORT)
    assert list((tmp_path / "out").iterdir()) == []
