"""Studies as TOML files: what a file may say, and what it means. See examples/studies for one of each kind.

A file has a ``title``, one subject (a table ``[circuit]``, ``[deck]``, ``[junction]`` or ``[train]``), ``[sweep]``,
``[random]`` and ``[[correlation]]`` for its dimensions, ``[space]`` for seed and numbers, ``[trim]`` for a value that
is found first, and the name of an ``analysis`` with its ``[options]``. Values take units or are SI; anything unknown is
an error that names the file and the entry.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mtjspice import sweeps
from mtjspice.device.card import PARAMETERS, load_card
from mtjspice.errors import InputError
from mtjspice.studies import measurement_file
from mtjspice.studies.space import Space, Spread, Sweep, Value
from mtjspice.studies.study import Study
from mtjspice.studies.subjects.base import Subject
from mtjspice.studies.subjects.circuit import CircuitSubject
from mtjspice.studies.subjects.deck import DeckSubject
from mtjspice.studies.subjects.junction import JunctionSubject
from mtjspice.studies.subjects.on_waveform import Switching
from mtjspice.studies.subjects.train import TrainSubject
from mtjspice.studies.trim import Trim

Table = Mapping[str, Any]
_TOP = ("title", "analysis", "options", "space", "sweep", "random", "correlation", "trim", "measure")
_SPREAD_KEYS = ("mean", "deviation", "distribution", "low", "high")
DRAWN = ("mismatch", "process")
OWN_SPREAD = "device_to_device"  # the card's own table


def load_study(path: Path | str) -> Study:
    """Read a study file; InputError, with the file and the entry, for anything that is not allowed."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the study {path}: {error}") from None
    return parse_study(text, str(path), path.parent)


def parse_study(text: str, where: str, folder: Path) -> Study:
    """Read the text of a study file; files that it names are looked for in ``folder``."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: not a TOML file ({error})") from None
    try:
        return _study(document, folder)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _study(document: Table, folder: Path) -> Study:
    _check_keys(document, (*_TOP, *_SUBJECTS), "the file")
    present = [name for name in _SUBJECTS if name in document]
    if len(present) != 1:
        raise InputError(f"a study has exactly one of the tables {', '.join(f'[{name}]' for name in _SUBJECTS)}")
    if "measure" in document and present != ["deck"]:
        raise InputError("[measure] goes with [deck]; a circuit's bench brings its measurements")
    table = _table(document, present[0])
    subject = _SUBJECTS[present[0]](table, _table(document, "measure"), folder)
    space = _space(document, subject, table)
    return Study(
        title=_text(document, "title", "the file", ""), subject=subject, space=space,
        analysis=_text(document, "analysis", "the file", ""), options=dict(_table(document, "options")),
        trim=_trim(document, subject),
    )  # fmt: skip


# --- subjects ------------------------------------------------------------------------------------------------


def _circuit(table: Table, measure: Table, folder: Path) -> Subject:
    _check_keys(
        table, ("name", "technology", "card", "fidelity", "set", "tolerance", "trials", "junctions"),
        "[circuit]",
    )  # fmt: skip
    fidelity = _text(table, "fidelity", "[circuit]", "resistor")
    chosen: dict[str, Any] = {
        name: convert(table[name])
        for name, convert in (("tolerance", float), ("trials", _whole), ("junctions", _numbers)) if name in table
    }  # fmt: skip
    technology = _file(_text(table, "technology", "[circuit]", "gf180mcu"), folder)
    card = _file(_text(table, "card", "[circuit]", ""), folder) or None
    subject = CircuitSubject(
        _text(table, "name", "[circuit]"), technology, card, fidelity,
        switching=Switching(**chosen) if chosen else None,
    )  # fmt: skip
    return _with_values(subject, table)


def _deck(table: Table, measure: Table, folder: Path) -> Subject:
    _check_keys(table, ("file", "engine", "card", "fidelity", "set"), "[deck]")
    path = folder / _text(table, "file", "[deck]")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"[deck]: cannot read {path}: {error}") from None
    subject = DeckSubject(
        text, measurement_file.read(measure, "[measure]"), path.parent,
        _text(table, "engine", "[deck]", "batch"), _text(table, "fidelity", "[deck]", "cosim"),
        _file(_text(table, "card", "[deck]", ""), folder) or None,
    )  # fmt: skip
    return _with_values(subject, table)


def _junction(table: Table, measure: Table, folder: Path) -> Subject:
    _check_keys(table, ("card", "method", "direction", "trials", "tolerance", "set"), "[junction]")
    subject = JunctionSubject(
        _file(_text(table, "card", "[junction]", "meram100"), folder),
        _text(table, "method", "[junction]", "fokker-planck"), _text(table, "direction", "[junction]", "p-ap"),
        _whole(table.get("trials", 1000)), float(table.get("tolerance", 1e-4)),
    )  # fmt: skip
    return _with_values(subject, table)


def _pulse_train(table: Table, measure: Table, folder: Path) -> Subject:
    _check_keys(table, ("card", "pulses", "junctions", "set"), "[train]")
    subject = TrainSubject(
        _file(_text(table, "card", "[train]", "meram100"), folder), _whole(table.get("pulses", 8)),
        _whole(table.get("junctions", 100)),
    )  # fmt: skip
    return _with_values(subject, table)


_SUBJECTS: Mapping[str, Callable[[Table, Table, Path], Subject]] = {
    "circuit": _circuit, "deck": _deck, "junction": _junction, "train": _pulse_train,
}  # fmt: skip


def _with_values(subject: Any, table: Table) -> Subject:
    """The subject with the values of the table ``set``."""
    from dataclasses import replace

    values = {name: _value(subject, name, value, f"set.{name}") for name, value in _table(table, "set").items()}
    found: Subject = replace(subject, values=values) if values else subject
    return found


def _file(name: str, folder: Path) -> str:
    """The name of a card or technology, or the path of its file, which a study gives relative to itself."""
    return str(folder / name) if name.endswith(".toml") else name


# --- space ---------------------------------------------------------------------------------------------------


def _space(document: Table, subject: Subject, table: Table) -> Space:
    numbers = _table(document, "space")
    _check_keys(numbers, ("seed", "samples", "trials", "sampling"), "[space]")
    random = _table(document, "random")
    spreads = [*_own_spreads(random, subject, table)]
    for name, entry in random.items():
        if name not in DRAWN and name != OWN_SPREAD:
            spreads.append(_spread(subject, name, entry))
    for name in (*DRAWN, OWN_SPREAD):
        if random.get(name, False) not in (True, False):
            raise InputError(f"random.{name} must be true or false")
    return Space(
        sweeps=tuple(_sweep(subject, name, values) for name, values in _table(document, "sweep").items()),
        spreads=tuple(spreads), seeds=tuple(name for name in DRAWN if random.get(name)),
        samples=_whole(numbers.get("samples", 1)), trials=_whole(numbers.get("trials", 1)),
        seed=_whole(numbers.get("seed", 1)), sampling=_text(numbers, "sampling", "[space]", "monte-carlo"),
        correlations=_correlations(document),
    )  # fmt: skip


def _sweep(subject: Subject, name: str, values: Any) -> Sweep:
    unit = subject.dimension(name).unit
    where = f"sweep.{name}"
    if isinstance(values, str) and unit:
        return Sweep(name, tuple(float(one) for one in sweeps.values(values, unit, where)), unit)
    if not isinstance(values, list):
        raise InputError(f'{where} = {values!r} must be a list, or a text such as "0.8 V:1.2 V:5"')
    return Sweep(name, tuple(_value(subject, name, one, where) for one in values), unit)


def _spread(subject: Subject, name: str, entry: Any) -> Spread:
    where = f"random.{name}"
    if not isinstance(entry, dict):
        raise InputError(f'{where} must be a table such as {{ deviation = "5 %" }}')
    _check_keys(entry, _SPREAD_KEYS, where)
    known = subject.dimension(name)
    if not known.unit or known.unit == "seed":
        raise InputError(f"{where}: {name} has names for values, which have no spread")
    mean = sweeps.quantity(str(entry["mean"]), known.unit, f"{where}.mean") if "mean" in entry else known.nominal
    if mean is None or isinstance(mean, str):
        raise InputError(f"{where} needs a mean, in {known.unit}")
    if "deviation" not in entry:
        raise InputError(f"{where} needs a deviation, in {known.unit} or in %")
    limits = {
        key: sweeps.quantity(str(entry[key]), known.unit, f"{where}.{key}") for key in ("low", "high") if key in entry
    }
    deviation = _deviation(str(entry["deviation"]), float(mean), known.unit, f"{where}.deviation")
    return Spread(
        name, float(mean), deviation, _text(entry, "distribution", where, "normal"), known.unit, **limits
    )  # fmt: skip


def _deviation(text: str, mean: float, unit: str, where: str) -> float:
    if text.strip().endswith("%"):
        return abs(mean) * sweeps.quantity(text.strip().removesuffix("%"), "1", where) / 100
    return sweeps.quantity(text, unit, where)


def _own_spreads(random: Table, subject: Subject, table: Table) -> list[Spread]:
    """Those of the card's table of device-to-device deviations."""
    if not random.get(OWN_SPREAD):
        return []
    card = getattr(subject, "_card", None)
    card = load_card(table["card"]) if card is None and "card" in table else card
    if card is None or not card.device_spread:
        raise InputError(f"random.{OWN_SPREAD}: the card states no deviations from device to device")
    spreads = []
    for key, relative in card.device_spread.items():
        nominal = float(getattr(card, key))
        spreads.append(Spread(f"card.{key}", nominal, abs(nominal) * relative, unit=PARAMETERS[key].unit))
    return spreads


def _correlations(document: Table) -> dict[tuple[str, str], float]:
    entries = document.get("correlation", [])
    if not isinstance(entries, list):
        raise InputError("correlations are tables [[correlation]]")
    found = {}
    for entry in entries:
        _check_keys(entry, ("between", "value"), "[[correlation]]")
        pair = entry.get("between")
        if not isinstance(pair, list) or len(pair) != 2 or "value" not in entry:
            raise InputError('[[correlation]] needs between = ["a", "b"] and a value')
        found[(str(pair[0]), str(pair[1]))] = float(entry["value"])
    return found


def _trim(document: Table, subject: Subject) -> Trim | None:
    if "trim" not in document:
        return None
    table = _table(document, "trim")
    _check_keys(table, ("dimension", "between", "result", "target", "at", "per", "tolerance"), "[trim]")
    name = _text(table, "dimension", "[trim]")
    unit = subject.dimension(name).unit
    between = table.get("between")
    if not isinstance(between, list) or len(between) != 2 or not unit:
        raise InputError('[trim] needs between = ["low", "high"] of a dimension that is a number')
    low, high = (sweeps.quantity(str(one), unit, "trim.between") for one in between)
    at = {key: _value(subject, key, one, f"trim.at.{key}") for key, one in _table(table, "at").items()}
    per = table.get("per", [])
    if not isinstance(per, list):
        raise InputError("[trim] per must be a list of names of sweeps")
    return Trim(
        name, low, high, _text(table, "result", "[trim]"), float(table.get("target", 0.5)), at,
        tuple(str(one) for one in per), float(table.get("tolerance", 2e-3)), unit,
    )  # fmt: skip


# --- entries -------------------------------------------------------------------------------------------------


def _value(subject: Subject, name: str, value: Any, where: str) -> Value:
    """A value of a dimension: a number in its unit, or a name."""
    unit = subject.dimension(name).unit
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise InputError(f"{where} = {value!r} must be a text or a number")
    return str(value) if not unit else sweeps.quantity(str(value), unit, where)


def _table(document: Table, key: str) -> Table:
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise InputError(f"{key} must be a table")
    return value


def _check_keys(table: Any, allowed: Sequence[str], where: str) -> None:
    if not isinstance(table, dict):
        raise InputError(f"{where} must be a table")
    unknown = [key for key in table if key not in allowed]
    if unknown:
        raise InputError(f"{where}: unknown entry {unknown[0]!r}; allowed: {', '.join(allowed)}")


def _text(table: Table, key: str, where: str, default: str | None = None) -> str:
    value = table.get(key, default)
    if not isinstance(value, str):
        raise InputError(f"{where} needs {key} = a text" if value is None else f"{where}: {key} must be a text")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{value!r} must be a whole number")
    return value


def _numbers(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not value:
        raise InputError(f"junctions = {value!r} must be a list of numbers from 0 on")
    return tuple(_whole(one) for one in value)
