"""The public rule deck, run by the application KLayout: what it finds, and how its failures are told."""

import hashlib
import json
import os
import random
import stat
from functools import cache
from pathlib import Path

import klayout.db as kdb
import pytest
from test_drc import SEEDS, Drawing, contact, place, resistor, sheet, stack, tap, transistor

from mtjspice import resources
from mtjspice.errors import InputError, SimulatorError
from mtjspice.layout import deck
from mtjspice.layout.deck import run_deck
from mtjspice.layout.drc import Violation, violations
from mtjspice.layout.layers import LAYERS
from mtjspice.layout.rules import RULES

PITCH, COLUMNS = 200.0, 13  # um between faults on one sheet


@cache
def application() -> Path:
    """Return the application KLayout; install one where there is none."""
    try:
        return deck.find_klayout()
    except SimulatorError:
        return deck.install_klayout()


def written(d: Drawing, folder: Path) -> Path:
    path = folder / "drawing.gds"
    d.layout.write(str(path))
    return path


@pytest.fixture
def gds(tmp_path: Path) -> Path:
    return written(sheet(), tmp_path)


@pytest.fixture
def fake(tmp_path: Path):
    """Return a program in KLayout's place that runs a shell script; ``$report`` is where a report is expected."""

    def program(script: str) -> Path:
        path = tmp_path / "klayout"
        find = "for option; do case $option in report=*) report=${option#report=};; esac; done\n"
        path.write_text(f"#!/bin/sh\n{find}{script}\n", encoding="ascii")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return program


# --- the deck itself -------------------------------------------------------------------------------------------


def test_the_deck_is_the_published_one() -> None:
    with resources.as_path(deck.DECK) as path:
        provenance = json.loads((path.parent / "provenance.json").read_text(encoding="utf-8"))
        content = path.read_bytes()
    (source,) = provenance["sources"].values()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (source["bytes"], source["sha256"])
    assert b"Licensed under the Apache License, Version 2.0" in content
    assert content.count(deck._MEMORY.encode()) == 1


def test_values_are_those_of_the_deck() -> None:
    """Every value of a rule of the process stands in the deck's text of the rule, where the text has one."""
    with resources.as_path(deck.DECK) as path:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if ".output(" in line]
    said = {}
    for line in lines:
        name, text = line.split('output("')[1].split('"')[0], line.split('"')[3]
        said[name.removesuffix("_3.3V")] = text
    compared = 0
    for rule in RULES.values():
        if rule.name in ("OFFGRID", "ACUTE") or rule.name.startswith("MTJ"):
            continue
        value = said[rule.name].rpartition(" : ")[2].strip()
        if value.endswith(("µm", "µm²")):
            assert float(value.rstrip("µm²").removeprefix("nil,")) == pytest.approx(rule.value), rule.name
            compared += 1
    assert compared > 100


def test_a_clean_cell_is_clean(gds: Path) -> None:
    assert run_deck(gds, "drawing", application()) == ()


def test_faults_are_found(tmp_path: Path) -> None:
    d = sheet()
    d.origin = (0, 5)
    transistor(d, "n", cap=0.2)
    d.box("metal1", 3, 0, 4, 1)
    d.box("metal1", 4.2, 0, 5, 1)
    d.box("poly", 6, 0, 7, 1)
    contact(d, 6.4, 0.4, size=0.24)
    top = d.layout.create_cell("top")  # the cell that is named is checked, not the one above
    top.shapes(d.layout.layer(*LAYERS["metal2"])).insert(kdb.DBox(0, 0, 0.1, 5))
    found = run_deck(written(d, tmp_path), "drawing", application())
    assert {violation.rule for violation in found} == {"PL.4", "M1.2a", "CO.1"}
    (gap,) = (violation for violation in found if violation.rule == "M1.2a")
    assert gap.box == pytest.approx((4, 5, 4.2, 6), abs=0.0011)  # the deck grows its marks by 1 nm
    assert "Metal1" in gap.text or "metal1" in gap.text


@pytest.mark.slow
def test_deck_and_checks_agree_on_every_fault(tmp_path: Path) -> None:
    """All faults on one sheet: near each, both report the same of the rules that both have."""
    d = Drawing()
    for number, fault in enumerate(SEEDS):
        d.origin = (PITCH * (number % COLUMNS), PITCH * (number // COLUMNS))
        place(d, fault)
    ours = by_place(violations(d.layout, d.cell))
    theirs = by_place(run_deck(written(d, tmp_path), "drawing", application()))
    for number, fault in enumerate(SEEDS):
        if not fault.rule.startswith("MTJ"):  # the deck has no junctions
            assert merged(fault.rule) in ours[number]
            assert theirs[number] == ours[number], fault.rule
        else:
            assert number not in theirs


@pytest.mark.slow
def test_nothing_that_the_deck_finds_in_random_drawings_is_missed(tmp_path: Path) -> None:
    """Parts with random dimensions near the limits, random boxes over them: ours finds the same, or more by design."""
    d, rng = Drawing(), random.Random(1)
    places = 300
    for number in range(places):
        corner = (PITCH * (number % COLUMNS), PITCH * (number // COLUMNS))
        for _ in range(rng.choice((1, 2, 3))):
            d.origin = (corner[0] + on_grid(rng, 0, 5), corner[1] + on_grid(rng, 0, 5))
            random_part(d, rng)
        d.origin = corner
        for _ in range(rng.choice((0, 1, 2, 3))):
            layer = rng.choice([name for name in LAYERS if not name.startswith("mtj") and name != "boundary"])
            x, y, width, height = (on_grid(rng, low, high) for low, high in ((0, 6), (0, 6), (0.15, 3), (0.15, 3)))
            d.box(layer, x, y, x + width, y + height)
    ours = by_place(violations(d.layout, d.cell))
    theirs = by_place(run_deck(written(d, tmp_path), "drawing", application()))
    assert len(set().union(*theirs.values())) > 100
    for number in range(places):
        more = ours.get(number, set()) - theirs.get(number, set())
        assert theirs.get(number, set()) - ours.get(number, set()) == set(), number
        assert more <= {"DF.13", "DF.14", "HRES.7", "SB.16"}, number


def on_grid(rng: random.Random, low: float, high: float) -> float:
    return round(rng.uniform(low, high) / 0.005) * 0.005


def random_part(d: Drawing, rng: random.Random) -> None:
    def value(low: float, high: float) -> float:
        return on_grid(rng, low, high)

    kind = rng.choice(("fet", "fet", "tap", "resistor", "stack", "stack"))
    if kind == "fet":
        transistor(
            d, rng.choice("np"), length=value(0.26, 0.5), width=value(0.2, 1.2), cap=value(0.18, 0.4),
            side=value(0.2, 0.6), over_gate=value(0.18, 0.3), beyond=value(0, 0.2), contacts=rng.random() < 0.5,
            to_gate=value(0.1, 0.2), well=value(0.1, 0.5),
        )  # fmt: skip
    elif kind == "tap":
        tap(d, rng.choice("np"), 0, 0, beyond=value(0, 0.2))
    elif kind == "resistor":
        resistor(
            d, width=value(0.9, 1.2), high=value(0.3, 0.5), over=value(0.1, 0.4), overlap=value(0.05, 0.15),
            marker=rng.choice((0, 0, 0.05)), at=value(-0.1, 0.6), head=value(0, 0.4),
        )  # fmt: skip
    else:
        stack(d, rng.choice((1, 2, 3, 4)), value(-0.02, 0.1), value(-0.02, 0.1))


def by_place(found: tuple[Violation, ...]) -> dict[int, set[str]]:
    """Return the rules of the table that are broken at every place of the sheet."""
    rules: dict[int, set[str]] = {}
    for violation in found:
        column, row = (int((corner + 20) // PITCH) for corner in violation.box[:2])
        if violation.rule in RULES:
            rules.setdefault(column + COLUMNS * row, set()).add(merged(violation.rule))
    return rules


def merged(rule: str) -> str:
    """The deck reports PL.5a and PL.5b alike."""
    return "PL.5a" if rule == "PL.5b" else rule


# --- failures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo no licence; exit 1", r"rule deck failed: .*klayout ended with exit code 1$"),
        ("echo 'ERROR: NoMethodError'; exit 1", r"ended with exit code 1 \(ERROR: NoMethodError\)$"),
        ("kill -9 $$", r"ended with exit code -9$"),
        ("echo all is well", r"klayout wrote no report$"),
        ("echo garbage > $report", r"its report cannot be read: "),
        (
            "echo '<report-database><categories><category><name>M1.1</name></category></categories></report-database>'"
            " > $report",
            r"its report has 1 rules, not 600 or more$",
        ),
    ],
)
def test_a_run_that_fails_is_no_clean_cell(gds: Path, fake, script: str, message: str) -> None:
    with pytest.raises(SimulatorError, match=message) as caught:
        run_deck(gds, "drawing", fake(script))
    assert "\n" not in str(caught.value)
    if "echo no licence" in script:
        assert caught.value.log == ("no licence",)


def test_a_run_that_hangs_is_ended(gds: Path, fake) -> None:
    with pytest.raises(SimulatorError, match=r"klayout did not finish in 0\.2 s$"):
        run_deck(gds, "drawing", fake("exec sleep 60"), time_limit=0.2)


def test_bad_files_and_cells_are_refused(gds: Path, tmp_path: Path, fake) -> None:
    program = fake("exit 1")
    with pytest.raises(InputError, match=r"has no cell 'other'; its top cells: drawing$"):
        run_deck(gds, "other", program)
    with pytest.raises(InputError, match=r"there is no layout file .*none\.gds$"):
        run_deck(tmp_path / "none.gds", "drawing", program)
    (tmp_path / "text.gds").write_text("no layout", encoding="ascii")
    with pytest.raises(InputError, match=r"text\.gds is no layout file: "):
        run_deck(tmp_path / "text.gds", "drawing", program)


class TestFinding:
    def test_the_variable_comes_first(self, fake, monkeypatch: pytest.MonkeyPatch) -> None:
        program = fake("echo KLayout 9.8.7")
        monkeypatch.setenv(deck.KLAYOUT_VARIABLE, str(program))
        assert deck.find_klayout() == program
        assert (deck.klayout_tool().path, deck.klayout_tool().version) == (str(program), "9.8.7")

    def test_then_the_path(self, fake, monkeypatch: pytest.MonkeyPatch) -> None:
        program = fake("echo broken")
        monkeypatch.delenv(deck.KLAYOUT_VARIABLE, raising=False)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
        assert deck.find_klayout() == program
        assert "does not tell its version" in (deck.klayout_tool().missing_hint or "")

    def test_then_the_private_one(self, tmp_path: Path, fake, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(deck.KLAYOUT_VARIABLE, raising=False)
        monkeypatch.setenv("PATH", str(tmp_path / "none"))
        monkeypatch.setenv("MTJSPICE_CACHE", str(tmp_path / "cache"))
        with pytest.raises(SimulatorError, match=r"KLayout was not found.*mtjspice doctor --install klayout$"):
            deck.find_klayout()
        assert deck.klayout_tool().path is None
        private = deck.private_klayout()
        private.parent.mkdir(parents=True)
        fake("exit 0").rename(private)
        assert deck.find_klayout() == private

    def test_a_wrong_variable_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(deck.KLAYOUT_VARIABLE, "/none/klayout")
        with pytest.raises(SimulatorError, match=r"MTJSPICE_KLAYOUT is '/none/klayout', which is no executable file"):
            deck.find_klayout()
