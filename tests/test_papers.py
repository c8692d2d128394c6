"""The framework of the reproductions: findings, sections, runs, pages."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from browser import browser, check_page, overflow

from mtjspice.errors import InputError, SimulatorError
from mtjspice.papers import catalogue, pages, runner, store
from mtjspice.papers.experiment import Context, Experiment, Paper
from mtjspice.papers.findings import Claim, Finding, Origin, Status, Value, counted, finding_of, judge
from mtjspice.papers.sections import Plate, Section, section_of
from mtjspice.papers.store import Stored
from mtjspice.statistics import wilson

SEVEN = Claim(text="7 of ten", place="Fig. 1", origin=Origin.TEXT, value=0.7)


def finding(**changes: object) -> Finding:
    given = {
        "key": "a", "quantity": "share", "ours": Value(value=0.5), "status": Status.LEFT_OPEN, "reason": "asked"
    }  # fmt: skip
    return Finding(**{**given, **changes})


def section(**changes: object) -> Section:
    plate = Plate(key="line", caption="a line", alt="it rises", columns={"x [s]": [1.0, 2.0], "name": ["p", "q"]})
    claimed = finding(key="b", paper=SEVEN, status=Status.DIFFERS, assumed="all <of> it")
    given = {"answer": ("It <is>.",), "findings": (finding(), claimed), "plates": (plate,), "setting": "two points"}
    return Section(**{**given, **changes})


def draw_line(columns):
    from mtjspice.reports.style import new_figure

    figure, grid = new_figure(2.0)
    grid[0, 0].plot(columns["x [s]"], columns["x [s]"])
    grid[0, 0].set(xlabel="x [s]", ylabel="y [s]")
    return figure


def no_section(context: Context) -> Section:
    raise AssertionError("not to be run")


EXPERIMENT = Experiment(
    key="one", title="The <one>", question="Is it?", run=no_section, draw={"line": draw_line}, minutes=(1, 2)
)
PAPER = Paper(key="meram", title="A paper", citation="Journal 1", coverage="all of it", experiments=(EXPERIMENT,))


@pytest.mark.parametrize(
    ("value", "low", "high", "within", "status"),
    [
        (0.7, None, None, 0.0, Status.AGREES),
        (0.71, None, None, 0.0, Status.DIFFERS),
        (0.71, None, None, 0.02, Status.AGREES),
        (0.8, 0.69, 0.91, 0.0, Status.AGREES),
        (0.8, 0.72, 0.88, 0.0, Status.DIFFERS),
        (0.6, 0.5, 0.65, 0.0, Status.DIFFERS),
        (0.6, 0.5, 0.65, 0.08, Status.AGREES),
    ],
)
def test_judgement(value, low, high, within, status):
    kind = "" if low is None else "95 %"
    assert judge(SEVEN, Value(value=value, low=low, high=high, kind=kind), within=within) is status


def test_judgement_by_limits_of_the_claim():
    claim = replace(SEVEN, low=0.6, high=0.8)
    assert judge(claim, Value(value=0.61)) is Status.AGREES
    assert judge(claim, Value(value=0.59)) is Status.DIFFERS
    with pytest.raises(ValueError, match="no number"):
        judge(replace(SEVEN, value=None), Value(value=1))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Value(value=7e-10, unit="s"), "700 ps"),
        (Value(value=0.5, low=0.4, high=0.6, kind="95 %"), "0.5 (95 %: 0.4 to 0.6)"),
        (Value(value=0.1234, unit="%", digits=2), "12 %"),
        (counted(wilson(5, 10)), "0.5 (95 %: 0.237 to 0.763)"),
    ],
)
def test_values_are_shown_with_limits_and_units(value, text):
    assert value.shown() == text


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": " "},
        {"paper": SEVEN},
        {"status": Status.AGREES},
        {"ours": Value(value=float("nan"))},
        {"ours": Value(value=1.0, low=0.0, high=float("inf"), kind="95 %")},
    ],
)
def test_findings_that_say_too_little_are_refused(changes):
    with pytest.raises(ValueError, match="finding a"):
        finding(**changes)


@pytest.mark.parametrize("changes", [{"low": 0.1}, {"low": 0.9, "high": 0.1}])
def test_claims_with_wrong_limits_are_refused(changes):
    with pytest.raises(ValueError, match="limits"):
        replace(SEVEN, **changes)


def test_limits_need_their_kind():
    with pytest.raises(ValueError, match="kind"):
        Value(value=1.0, low=0.5, high=1.5)


def test_sections_survive_json():
    whole = section()
    again = section_of(json.loads(json.dumps(whole.as_dict())))
    assert again == replace(whole, plates=again.plates)
    assert again.plates[0].csv() == whole.plates[0].csv() == "x [s],name\n1.0,p\n2.0,q\n"
    assert finding_of(finding().as_dict()) == finding()


def test_keys_are_there_once():
    with pytest.raises(ValueError, match="finding 'a' is there twice"):
        section(findings=(finding(), finding()))
    with pytest.raises(ValueError, match="one length"):
        Plate(key="x", caption="", alt="", columns={"a": [1.0], "b": [1.0, 2.0]})


def test_stored_sections(tmp_path):
    path = store.path_of(tmp_path, "meram", "one")
    assert store.load(path) is None
    assert not store.finished(path, "key")
    store.save(path, Stored(section(), "", True, 3, 1.5, "key"))
    assert store.finished(path, "key")
    assert not store.finished(path, "another key")
    found = store.load(path)
    assert (found.quick, found.seed, found.seconds) == (True, 3, 1.5)
    store.save(path, Stored(None, "failed: no power"))
    assert store.load(path).section is not None, "what is there is not given up"
    path.unlink()
    store.save(path, Stored(None, "failed: no power"))
    assert store.load(path).missing == "failed: no power"
    assert not store.finished(path, "")
    for damage in (
        "{",
        "[]",
        '{"key": "key"}',
        '{"key":"", "section":null, "missing":"", "quick":true, "seed":1, "seconds":0}',
    ):
        path.write_text(damage)
        with pytest.raises(InputError, match="remove it"):
            store.load(path)


def test_the_key_knows_experiment_effort_and_seed():
    keys = {
        store.key_of("meram", one, quick, seed)
        for one in (EXPERIMENT, replace(EXPERIMENT, key="two"))
        for quick in (True, False)
        for seed in (1, 2)
    }
    assert len(keys) == 8


def test_what_is_missing_is_said(monkeypatch, tmp_path):
    assert replace(EXPERIMENT, modules=("json",)).missing() == ""
    assert "mtjspice[generative]" in replace(EXPERIMENT, modules=("torch_that_is_not_there",)).missing()
    monkeypatch.setenv("MTJSPICE_CACHE", str(tmp_path))
    assert "data fetch" in replace(EXPERIMENT, data=("fashion-mnist",)).missing()


def ran(monkeypatch, folder: Path, run) -> tuple[str, Stored | None]:
    """What a worker says of an experiment, and what it stored."""
    paper = replace(PAPER, experiments=(replace(EXPERIMENT, run=run),))
    monkeypatch.setattr(runner, "PAPERS", {"meram": lambda: paper})
    outcome = runner._Sections(str(folder), True, 1)._run(runner._point(paper, paper.experiments[0]))
    return outcome.reason, store.load(store.path_of(folder, "meram", "one"))


def test_a_worker_stores_what_it_has_found(monkeypatch, tmp_path):
    reason, stored = ran(monkeypatch, tmp_path, lambda context: section())
    assert reason == ""
    assert stored.section.findings == section().findings


def test_a_worker_says_why_it_failed(monkeypatch, tmp_path, capsys):
    def diverges(context):
        raise SimulatorError("it diverged")

    def breaks(context):
        raise KeyError("lost")

    assert ran(monkeypatch, tmp_path, diverges) == ("it diverged", None)
    assert ran(monkeypatch, tmp_path, breaks) == ("KeyError: 'lost'", None)
    assert "Traceback" in capsys.readouterr().err
    reason, _ = ran(monkeypatch, tmp_path, lambda context: section(plates=()))
    assert "can be drawn" in reason


def test_seeds_of_experiments_differ_and_do_not_depend_on_others():
    seeds = [runner.context_of(name, True, seed).seed for name in ("a/b", "a/c") for seed in (1, 2)]
    assert len(set(seeds)) == 4
    assert seeds[0] == runner.context_of("a/b", False, 1).seed


def test_choosing_experiments():
    every = runner.chosen(("meram",), ())
    assert [one.key for _, one in every] == [one.key for one in catalogue.paper_of("meram").experiments]
    for name in ("gaussian", "meram/gaussian"):
        assert [one.key for _, one in runner.chosen(("meram", "pbit"), (name,))] == ["gaussian"]
    with pytest.raises(InputError, match="unknown experiment 'gauss'; available: "):
        runner.chosen(("meram",), ("gauss",))
    with pytest.raises(InputError, match="unknown paper 'nature'; available: meram, pbit, stt-trng"):
        runner.chosen(("nature",), ())


@pytest.fixture
def made(monkeypatch, tmp_path):
    """Pages of one stored section, one that is missing, and one that was not asked for."""
    others = (replace(EXPERIMENT, key="two", draw={}), replace(EXPERIMENT, key="three"))
    paper = replace(PAPER, experiments=(EXPERIMENT, *others))
    for module in (pages, catalogue):
        monkeypatch.setattr(module, "PAPERS", {"meram": lambda: paper})
    store.save(store.path_of(tmp_path, "meram", "one"), Stored(section(), "", True, 1, 2.0, "key"))
    store.save(store.path_of(tmp_path, "meram", "two"), Stored(None, "left out: needs <torch>", True, 1))
    return tmp_path, pages.write(tmp_path)


def test_pages_hold_what_was_stored(made):
    folder, written = made
    assert [path.name for path in written] == ["meram.html", "index.html"]
    page = written[0].read_text(encoding="utf-8")
    for text in (
        "The &lt;one&gt;", "It &lt;is&gt;.", "all &lt;of&gt; it", "Left out: needs &lt;torch&gt;", "7 of ten", "Fig. 1",
        "1 claim: 1 differing.", "mtjspice reproduce meram --only one --quick", "two points",
    ):  # fmt: skip
        assert text in page, text
    assert 'id="three"' not in page
    assert (folder / "meram/one-line.csv").read_text() == "x [s],name\n1.0,p\n2.0,q\n"
    assert (folder / "meram/one-line.png").read_bytes()[:4] == b"\x89PNG"
    rows = list(csv.DictReader((folder / "findings.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["key"], row["status"], row["claimed"]) for row in rows] == [
        ("a", "left open", ""), ("b", "differs", "0.7"),
    ]  # fmt: skip
    assert "share" in written[1].read_text(encoding="utf-8")
    assert "Made by other code than this version" in page  # the key is none of ours


def test_figures_are_drawn_again_only_if_something_changed(made):
    """A mark in the picture survives as long as section and code do; another column, or no picture, draws it."""
    folder, _ = made
    picture = folder / "meram/one-line.png"
    drawn = picture.read_bytes()
    marked = drawn + b"mark"
    picture.write_bytes(marked)
    pages.write(folder)
    assert picture.read_bytes() == marked
    other = Plate(key="line", caption="two points", alt="it", columns={"x [s]": [1.0, 3.0], "name": ["p", "q"]})
    store.save(store.path_of(folder, "meram", "one"), Stored(section(plates=(other,)), "", True, 1))
    pages.write(folder)
    assert picture.read_bytes() not in (drawn, marked)
    picture.write_bytes(b"no picture")
    pages.write(folder)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_section_of_another_version_does_not_keep_the_others_from_being_shown(made):
    folder, _ = made
    other = Plate(key="line", caption="", alt="it", columns={"x [ns]": [1.0]})
    store.save(store.path_of(folder, "meram", "three"), Stored(section(plates=(other,)), "", True, 1))
    page = pages.write(folder)[0].read_text(encoding="utf-8")
    assert "Made by other code, which named its columns otherwise" in page
    assert page.count("<figure") == 1


def test_pages_in_a_browser(made):
    with browser() as driver:
        for path in made[1]:
            check_page(driver, path)
            assert overflow(driver, 500) <= 0
            driver.execute_cdp_cmd(
                "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
            )
            colour = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
            assert colour == "rgb(21, 24, 28)"


def test_the_browser_finds_what_is_wrong(tmp_path):
    wrong = {
        "console": "<script>console.error('no')</script>",
        "picture": '<img src="data:image/png;base64,AAAA" alt="none">',
        "anchor": '<a href="#nowhere">x</a>',
        "twice": '<p id="a"></p><p id="a"></p>',
        "link": '<a href="missing.html">x</a>',
    }
    with browser() as driver:
        for name, body in wrong.items():
            path = tmp_path / f"{name}.html"
            path.write_text(
                f'<!doctype html><html><head><link rel="icon" href="data:,"></head><body>{body}</body></html>'
            )
            with pytest.raises(AssertionError):
                check_page(driver, path)


# --- the command --------------------------------------------------------------------------------------------------


def test_one_experiment_from_the_command_line(command_line, tmp_path):
    out = tmp_path / "papers"
    code, shown, errors = command_line("reproduce", "meram", "--only", "gaussian", "--quick", "--out", str(out))
    assert (code, errors) == (0, "")
    assert "differs" in shown
    first = (out / "meram/gaussian.json").read_bytes()
    stamp = (out / "meram/gaussian.json").stat().st_mtime_ns
    again = ("reproduce", "meram", "--only", "gaussian", "--quick", "--resume", "--json", "--out", str(out))
    _, shown, _ = command_line(*again)
    assert (out / "meram/gaussian.json").stat().st_mtime_ns == stamp
    found = json.loads(shown)
    assert found["meram"]["gaussian"]["findings"][0]["key"] == json.loads(first)["section"]["findings"][0]["key"]


def test_an_interrupt_says_how_to_go_on(command_line, tmp_path, monkeypatch):
    def stopped(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "reproduce", stopped)
    code, shown, errors = command_line("reproduce", "meram", "--out", str(tmp_path))
    assert (code, shown) == (130, "")
    assert errors.startswith(
        f"mtjspice: finished sections are stored in {tmp_path}; --resume goes on and writes pages\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("reproduce", "nature"), "unknown paper 'nature'"),
        (("reproduce", "meram", "--only", "everything"), "unknown experiment 'everything'"),
        (("reproduce", "meram", "--seed", "0"), "seed"),
        (("reproduce", "meram", "--workers", "0"), "workers"),
        (("reproduce", "meram", "--out", "/proc/none"), "cannot write to the output folder"),
    ],
)
def test_bad_input_is_one_line(command_line, arguments, message):
    code, shown, errors = command_line(*arguments)
    assert (code, shown) == (2, "")
    assert message in errors
    assert len(errors.strip().splitlines()) == 1


def test_the_list_of_experiments_is_cheap_and_complete(command_line):
    _, shown, _ = command_line("reproduce", "all", "--list")
    listed = [line.split()[0] for line in shown.splitlines()[1:]]
    assert listed == [f"{key}/{one.key}" for key in catalogue.PAPERS for one in catalogue.paper_of(key).experiments]
