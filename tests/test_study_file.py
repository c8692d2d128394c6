"""Study files: what they mean, and one clear line for everything that is wrong with one."""

from pathlib import Path

import pytest

from mtjspice.circuits.measurements import At, Crossing, Delay, Energy, Peak, Power, Rise, Voltage, Width
from mtjspice.errors import InputError
from mtjspice.studies import measurement_file
from mtjspice.studies.study_file import load_study, parse_study
from mtjspice.studies.subjects.circuit import CircuitSubject
from mtjspice.studies.subjects.deck import DeckSubject

DECK = """filter
.param r=1k c=1p
V1 in 0 pwl(0 0 1p 1)
R1 in out {r}
C1 out 0 {c}
.tran 1p 5n 0 10p
.end
"""
CIRCUIT = """title = "cell"
[circuit]
name = "cell_1t1m"
fidelity = "macrospin"
trials = 100
set = { "bench.pulse_width" = "0.5 ns", "card.damping" = 0.03 }
[space]
seed = 3
samples = 4
trials = 2
[sweep]
"bench.voltage" = "1.0 V:1.4 V:3"
corner = ["ss", "ff"]
temperature = ["0 degC", "85 degC"]
[random]
mismatch = true
"card.tmr" = { deviation = "5 %" }
"card.diameter" = { deviation = "3 nm", low = "95 nm", distribution = "lognormal" }
[[correlation]]
between = ["card.tmr", "card.diameter"]
value = 0.3
"""


def parsed(text: str, folder: Path = Path()):
    return parse_study(text, "study.toml", folder)


def test_a_circuit_study_says_what_it_means():
    study = parsed(CIRCUIT)
    assert study.title == "cell"
    subject = study.subject
    assert isinstance(subject, CircuitSubject)
    assert (subject.circuit, subject.fidelity) == ("cell_1t1m", "macrospin")
    assert subject.switching is not None
    assert subject.switching.trials == 100
    assert subject.values == {"bench.pulse_width": 5e-10, "card.damping": 0.03}
    space = study.space
    assert space.dimensions == ("bench.voltage", "corner", "temperature", "sample", "trial")
    assert space.shape == (3, 2, 2, 4, 2)
    assert space.sweeps[0].values == (1.0, 1.2, 1.4)
    assert space.sweeps[2].values == (273.15, 358.15)
    tmr, diameter = space.spreads
    assert (tmr.mean, tmr.deviation) == (2.2, pytest.approx(0.11))
    assert (diameter.deviation, diameter.low, diameter.distribution) == (3e-9, 95e-9, "lognormal")
    assert space.seeds == ("mismatch",)
    assert space.correlations == {("card.tmr", "card.diameter"): 0.3}


def test_a_point_of_a_circuit_is_the_bench_with_its_values():
    study = parsed(CIRCUIT)
    point = study.point((1, 1, 1, 2, 0), {})
    bench = study.subject.testbench(point)
    assert (bench.corner, bench.temperature) == ("ff", 358.15)
    card = bench.junctions()[0].card
    assert (card.damping, card.tmr) == (0.03, point.values["card.tmr"])
    assert bench.mismatch_seed == point.values["mismatch"]
    assert max(v for _, v in bench.points("bl")) == 1.2


def test_the_supply_and_process_variation_are_dimensions():
    study = parsed(
        '[circuit]\nname = "pulse_writer"\n[random]\nprocess = true\n[space]\nsamples = 2\n'
        '[sweep]\nsupply = ["3.0 V", "3.6 V"]\n'
    )
    bench = study.subject.testbench(study.point((1, 1), {}))
    assert bench.points("vdd")[0][1] == 3.6
    assert (bench.corner, bench.process_seed) == ("statistical", study.point((1, 1), {}).values["process"])
    assert bench.mismatch_seed is None


def test_the_cards_own_spread(tmp_path):
    (tmp_path / "own.toml").write_text(
        Path("models/cards/meram100.toml").read_text()
        + '\n[device_to_device]\ntmr = { value = "0.04", status = "assumed", source = "a guess" }\n'
    )
    text = '[circuit]\nname = "cell_1t1m"\ncard = "own.toml"\n[random]\ndevice_to_device = true\n[space]\nsamples = 3\n'
    (spread,) = parsed(text, tmp_path).space.spreads
    assert (spread.name, spread.mean, spread.deviation) == ("card.tmr", 2.2, pytest.approx(0.088))


def test_decks_junctions_and_trains(tmp_path):
    (tmp_path / "a.cir").write_text(DECK)
    deck = parsed(
        '[deck]\nfile = "a.cir"\nengine = "replicas"\nset = { c = 2e-12 }\n'
        '[measure]\nlevel = { at = "v(out)", time = "1 ns" }\n[sweep]\nr = "500:1500:3"\n',
        tmp_path,
    )
    assert isinstance(deck.subject, DeckSubject)
    assert deck.subject.measurements == {"level": At(Voltage("out"), 1e-9)}
    assert deck.space.sweeps[0].values == (500.0, 1000.0, 1500.0)
    junction = parsed('[junction]\nset = { pulse_width = "1 ns" }\n[sweep]\nvoltage = ["1 V", 1.2]\n')
    assert junction.space.sweeps[0].values == (1.0, 1.2)
    train = parsed('[train]\npulses = 4\nset = { pulse_width = "1 ns", voltage = 1 }\n[sweep]\nperiod = "2 ns, 4 ns"\n')
    assert train.space.sweeps[0].values == (2e-9, 4e-9)


def test_a_trim():
    study = parsed(
        '[circuit]\nname = "cell_1t1m"\nfidelity = "macrospin"\n[sweep]\ncorner = ["ss", "ff"]\n'
        '[trim]\ndimension = "bench.voltage"\nbetween = ["0.9 V", "1.5 V"]\nresult = "probability0"\n'
        'at = { temperature = "25 degC" }\nper = ["corner"]\n'
    )
    trim = study.trim
    assert trim is not None
    assert (trim.low, trim.high, trim.target, trim.per) == (0.9, 1.5, 0.5, ("corner",))
    assert trim.at == {"temperature": 298.15}


CELL = '[circuit]\nname = "cell_1t1m"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = [", "not a TOML file"),
        ("", "exactly one of the tables [circuit], [deck], [junction], [train]"),
        (CELL + "[junction]\n", "exactly one of the tables"),
        ('titel = "x"\n' + CELL, "the file: unknown entry 'titel'; allowed: title, analysis"),
        ("title = 3\n" + CELL, "the file: title must be a text"),
        ("[circuit]\n", "[circuit] needs name = a text"),
        ('[circuit]\nname = "cell"\n', "unknown circuit 'cell'"),
        (CELL + 'fidelity = "spice"\n', "unknown fidelity 'spice'"),
        (CELL + 'technology = "tsmc"\n', "unknown technology 'tsmc'"),
        (CELL + 'card = "none"\n', "unknown card 'none'"),
        (CELL + "trials = 0\n", "trials = 0 must be at least 1"),
        (CELL + "trials = 1.5\n", "1.5 must be a whole number"),
        (CELL + 'set = { "bench.volts" = 1 }\n', "cell_1t1m has no dimension 'bench.volts'"),
        (CELL + 'set = { "bench.voltage" = "1 s" }\n', "set.bench.voltage: '1 s' has the wrong unit"),
        (CELL + 'set = { "bench.voltage" = "11 V" }\n', "voltage = 11 V is out of range"),
        (CELL + '[sweep]\n"card.tmrr" = [1]\n', "unknown card parameter 'tmrr'"),
        (CELL + '[sweep]\ncorner = ["tt"]\n', "unknown gf180mcu corner 'tt'"),
        (CELL + "[sweep]\ncorner = 3\n", "sweep.corner = 3 must be a list"),
        (CELL + "[sweep]\ntemperature = []\n", "sweep 'temperature' has no values"),
        (CELL + '[sweep]\ntemperature = "0 degC:85 degC:1"\n', "a count of 1 goes with start = stop"),
        (CELL + "[sweep]\ntemperature = [300, 300]\n", "has a value twice"),
        (CELL + "[sweep]\nmismatch = [1, 2]\n", "'mismatch' is drawn by the simulator"),
        (CELL + '[random]\n"card.tmr" = 0.1\n', "random.card.tmr must be a table"),
        (CELL + '[random]\n"card.tmr" = { mean = 2 }\n', "random.card.tmr needs a deviation"),
        (CELL + '[random]\n"card.tmr" = { deviation = "-1 %" }\n', "deviation -0.022"),
        (CELL + '[random]\n"card.tmr" = { deviation = "5 %", sigma = 3 }\n', "random.card.tmr: unknown entry 'sigma'"),
        (CELL + '[random]\ncorner = { deviation = "5 %" }\n', "corner has names for values"),
        (CELL + "[random]\nmismatch = 3\n", "random.mismatch must be true or false"),
        (CELL + "[random]\ndevice_to_device = true\n", "the card states no deviations from device to device"),
        (CELL + "[space]\nsamples = 10\n", "10 samples of nothing"),
        (CELL + '[space]\nsampling = "lhs"\n[random]\nmismatch = true\n', "unknown sampling 'lhs'"),
        (CELL + "[space]\nseed = -1\n", "seed -1 is out of range"),
        (CELL + '[[correlation]]\nbetween = ["a"]\nvalue = 1\n', '[[correlation]] needs between = ["a", "b"]'),
        (CELL + '[[correlation]]\nbetween = ["a", "b"]\nvalue = 1\n', "expected two different parameters that have a"),
        (CELL + "[measure]\n", "[measure] goes with [deck]"),
        (
            '[circuit]\nname = "cell_1t1m"\ntechnology = "sky130"\n[random]\nmismatch = true\n',
            "sky130 have no mismatch",
        ),
        (CELL + '[trim]\ndimension = "corner"\nbetween = [1, 2]\nresult = "a"\n', "of a dimension that is a number"),
        (
            CELL + '[trim]\ndimension = "temperature"\nbetween = [300, 200]\nresult = "a"\n',
            "between 300 and 200 there is nothing",
        ),
        (
            CELL + '[trim]\ndimension = "temperature"\nbetween = [200, 300]\nresult = "a"\nper = ["corner"]\n',
            "'corner' in per is no sweep",
        ),
        (
            CELL
            + '[sweep]\ntemperature = [300]\n[trim]\ndimension = "temperature"\nbetween = [200, 300]\nresult = "a"\n',
            "'temperature' is trimmed and varied at the same time",
        ),
        ('[deck]\nfile = "nowhere.cir"\n', "[deck]: cannot read"),
        ('[junction]\nmethod = "magic"\n', "unknown method 'magic'"),
        ("[junction]\n[sweep]\nvolts = [1]\n", "a junction under pulses has no dimension 'volts'"),
        ("[train]\npulses = 1\n", "pulses = 1 is out of range; allowed: 2 to 1000"),
    ],
)
def test_what_is_wrong_with_a_file(text, message):
    with pytest.raises(InputError) as caught:
        parsed(text)
    line = str(caught.value)
    assert line.startswith("study.toml: ")
    assert message in line
    assert "\n" not in line


def test_a_file_that_is_not_there():
    with pytest.raises(InputError, match=r"cannot read the study nowhere\.toml"):
        load_study("nowhere.toml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('[sweep]\nl = [1]\n[measure]\na = { at = "v(out)", time = "1 ns" }\n', "the deck has no parameter 'l'"),
        ("", "nothing is measured on the deck"),
        ('card = "meram100"\n', "the deck has a card but no junction"),
        ('[measure]\na = { at = "out", time = "1 ns" }\n', "[measure].a.at = 'out' is no signal"),
        ('[measure]\nA = { at = "v(out)", time = "1 ns" }\n', "'A' is no name of a measurement"),
        ('[measure]\na = { at = "v(out)" }\n', "[measure].a needs time, in s"),
        ('[measure]\na = { at = "v(out)", max = "v(out)" }\n', "exactly one of"),
        ('[measure]\na = { at = "v(out)", time = "1 V" }\n', "'1 V' has the wrong unit"),
        ('[measure]\na = { at = "v(out)", time = "1 ns", level = 1 }\n', "unknown level; at takes time"),
        ('[measure]\na = { crossing = "v(out)", level = 1, edge = "up" }\n', "unknown edge in [measure].a 'up'"),
        ('[measure]\na = { crossing = "v(out)", level = 1, number = 0 }\n', "number = 0 must be a whole number"),
        ('[measure]\na = { energy = "vdd" }\n', "energy takes a list of names"),
        ('[measure]\na = { max = "v(out)", after = "2 ns", before = "1 ns" }\n', "before must be later than after"),
        (
            '[measure]\na = { from = { max = "v(out)" }, to = { max = "v(out)" } }\n',
            "[measure].a.from must be a crossing",
        ),
        ("[measure]\na = 3\n", "[measure].a must be a table"),
    ],
)
def test_what_is_wrong_with_a_deck(tmp_path, change, message):
    (tmp_path / "a.cir").write_text(DECK)
    with pytest.raises(InputError) as caught:
        parsed('[deck]\nfile = "a.cir"\n' + change, tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_kinds_of_measurements():
    table = {
        "a": {"crossing": "v(Out)", "level": "0.5 V", "edge": "rise", "after": "1 ns", "number": 2},
        "b": {"from": {"crossing": "v(a)", "level": 0.1}, "to": {"crossing": "v(b)", "level": 0.9}},
        "c": {"min": "v(a,b)", "before": "3 ns"},
        "d": {"width": "v(a)"},
        "e": {"rise": "v(a)", "after": 1e-9},
        "f": {"energy": ["vdd", "in"]},
    }
    assert measurement_file.read(table, "x") == {
        "a": Crossing(Voltage("out"), 0.5, "rise", 1e-9, 2),
        "b": Delay(Crossing(Voltage("a"), 0.1), Crossing(Voltage("b"), 0.9)),
        "c": Peak(Voltage("a", "b"), "min", 0.0, 3e-9),
        "d": Width(Voltage("a")),
        "e": Rise(Voltage("a"), 1e-9),
        "f": Energy(Power(("vdd", "in"))),
    }
