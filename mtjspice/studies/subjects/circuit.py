"""A circuit of the catalogue, or one's own, on its bench: what a point sets, how it is simulated, what is measured."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from mtjspice.circuits import catalogue
from mtjspice.circuits.benches.base import Bench
from mtjspice.circuits.catalogue import Entry
from mtjspice.circuits.measurements import Energy, Power, Voltage, vectors_of
from mtjspice.circuits.simulation import FIDELITIES
from mtjspice.circuits.technology import Technology
from mtjspice.circuits.technology import technology as load_technology
from mtjspice.circuits.testbench import Testbench
from mtjspice.device.card import MTJCard
from mtjspice.errors import InputError, MtjspiceError, choose
from mtjspice.spice.batch import DEFAULT_TIME_LIMIT
from mtjspice.spice.engines import find_libngspice, find_ngspice
from mtjspice.spice.many import run_many
from mtjspice.spice.private_ngspice import find_osdi_ngspice
from mtjspice.spice.runs import Run, Status, Variant
from mtjspice.spice.worker import CosimWorker
from mtjspice.studies.space import Point, Space, Value
from mtjspice.studies.subjects import on_waveform
from mtjspice.studies.subjects.base import Dimension, Evaluate, Outcome, Subject, engine_digest, failed, file_digest
from mtjspice.studies.subjects.card_values import CARD, card_dimension, loaded, number, replaced
from mtjspice.studies.subjects.on_waveform import Floats, Switching

if TYPE_CHECKING:
    import xarray

DRAWN = ("mismatch", "process")
_SWITCHED = "switched"
METHODS = (*FIDELITIES, *on_waveform.METHODS)
_CONDITIONS = MappingProxyType(
    {
        "corner": "", "technology": "", "states": "", "fidelity": "", "temperature": "K", "supply": "V",
        "mismatch": "seed", "process": "seed",
    }
)  # fmt: skip


@dataclass(frozen=True)
class CircuitSubject(Subject):
    """A circuit on its bench.

    ``circuit`` is a name of the catalogue or an `Entry`. ``fidelity`` is that of `mtjspice.circuits.simulation`, or
    "fokker-planck" or "macrospin": then the circuit runs with junctions at rest, and these methods tell whether
    junctions switch under their voltage (``switching``). ``values`` sets parameters as `catalogue.bench` does, and the
    card's as ``card.<parameter>``; dimensions have the same names, or are ``corner``, ``technology``, ``states``,
    ``fidelity``, ``temperature`` (K), ``supply`` (V, in place of the technology's nominal one), ``mismatch`` and
    ``process`` (drawn by the simulator).

    Results are the bench's measurements and ``delivered_<source>`` (J), means of the trials where there are several.
    For the k-th junction that is looked at there are ``probability<k>`` to end in the other state, ``low<k>`` and
    ``high<k>`` (its interval), ``write_error_rate<k>`` and ``trials<k>`` (0: not counted).
    """

    circuit: str | Entry
    technology: str = "gf180mcu"
    card: str | MTJCard | None = None
    fidelity: str = "resistor"
    values: Mapping[str, Value] = field(default_factory=dict)
    switching: Switching | None = None
    time_limit: float = DEFAULT_TIME_LIMIT

    def __post_init__(self) -> None:
        choose("fidelity", self.fidelity, METHODS)
        self.bench(self.values)  # refuses what cannot be built

    @property
    def entry(self) -> Entry:
        """What the circuit is built by."""
        return catalogue.entry(self.circuit) if isinstance(self.circuit, str) else self.circuit

    @cached_property
    def _nominal(self) -> Bench:
        return self.bench(self.values)

    @cached_property
    def _card(self) -> MTJCard:
        return loaded(self.card or self.entry.card)

    def bench(self, values: Mapping[str, Value]) -> Bench:
        """Build the bench with these values of dimensions (and nothing of ``self.values``)."""
        rest = {name: value for name, value in values.items() if not name.startswith(CARD)}
        given: dict[str, Any] = {name: rest.pop(name) for name in _CONDITIONS if name in rest}
        for name in (*DRAWN, "fidelity"):
            given.pop(name, None)
        technology = load_technology(str(given.pop("technology", self.technology)))
        if "supply" in given:
            technology = replace(technology, supply_voltage=number("supply", given.pop("supply")))
        given["technology"] = technology
        return catalogue.bench(self.entry, card=replaced(self._card, values), values=rest, **given)

    def card_at(self, values: Mapping[str, Value]) -> MTJCard:
        """The card of a point with these values."""
        return replaced(self._card, {**self.values, **values})

    def testbench(self, point: Point) -> Testbench:
        """The bench of a point."""
        values = {**self.values, **point.values}
        bench = self.bench(values).testbench()
        if "process" in values:
            bench = bench.at(corner=bench.circuit.technology.process_corner, process_seed=int(values["process"]))
        return bench.at(mismatch_seed=int(values["mismatch"])) if "mismatch" in values else bench

    def dimension(self, name: str) -> Dimension:
        """See `Subject`."""
        if name in _CONDITIONS:
            bench = self._nominal.testbench()
            nominal: Mapping[str, Value] = {
                "corner": bench.corner, "temperature": bench.temperature, "technology": bench.circuit.technology.name,
                "supply": bench.circuit.technology.supply_voltage, "fidelity": self.fidelity,
            }  # fmt: skip
            return Dimension(_CONDITIONS[name], nominal.get(name))
        if name.startswith(CARD):
            return card_dimension(self.card_at({}), name)
        known = {one.name: one for one in catalogue.settings(self._nominal)}
        if name not in known:
            raise InputError(
                f"{self.entry.name} has no dimension {name!r}; available: {', '.join((*_CONDITIONS, *known))}, "
                f"and {CARD}<parameter of the card>"
            )
        found = known[name]
        is_text = isinstance(found.value, str)
        return Dimension("" if is_text else found.unit or "1", found.value)

    def check(self, space: Space) -> None:
        """See `Subject`. Names, and what is drawn, are tried on the bench: a point is too late to say so."""
        super().check(space)
        for sweep in space.sweeps:
            for value in sweep.values:
                if isinstance(value, str):
                    self._fidelity({sweep.name: value} if sweep.name == "fidelity" else {})
                    self.testbench(Point((), {sweep.name: value}, 0))
        for name in space.seeds:
            self.testbench(Point((), {name: 1}, 0))

    def identity(self, values: Mapping[str, Value]) -> Mapping[str, object]:
        """See `Subject`: the nominal deck with its model cards, and those of the point's corner and technology."""
        technology = load_technology(str(values.get("technology", self._nominal.technology.name)))
        fidelity = self._fidelity(values)
        corner = str(values.get("corner", technology.default_corner))
        if "process" in values:
            corner = technology.process_corner
        return {
            "subject": "circuit", "deck": self._nominal.testbench().deck(), "models": _models(technology, corner),
            "technology": repr(technology), "card": self._card.to_toml(), "values": dict(self.values),
            "fidelity": fidelity, "switching": repr(self.switching), "engine": engine_digest(_engine(fidelity)),
        }  # fmt: skip

    def result_names(self, values: Mapping[str, Value]) -> tuple[str, ...]:
        """See `Subject`."""
        bench = self.bench({**self.values, **values}).testbench()
        names = [*bench.measurements, *(f"delivered_{port}" for port in bench.drives)]
        fidelity = self._fidelity(values)
        if fidelity == "resistor":
            return tuple(names)
        if fidelity not in on_waveform.METHODS:
            names.append("junction_energy")
        return (*names, *(f"{name}{k}" for k in range(len(self._looked_at(bench))) for name in on_waveform.RESULTS))

    def _fidelity(self, values: Mapping[str, Value]) -> str:
        return choose("fidelity", str({**self.values, **values}.get("fidelity", self.fidelity)), METHODS)

    def limited(self, time_limit: float) -> Subject:
        """See `Subject`."""
        return replace(self, time_limit=time_limit)

    @property
    def units(self) -> Mapping[str, str]:
        """See `Subject`."""
        bench = self._nominal.testbench()
        return {
            **{name: "W" if _is_power(one) else one.unit for name, one in bench.measurements.items()},
            **{f"delivered_{port}": "J" for port in bench.drives}, "junction_energy": "J",
        }  # fmt: skip

    def deck(self, point: Point) -> str:
        """See `Subject`; the model cards are referred to by their path."""
        bench = self.testbench(point)
        technology = bench.circuit.technology
        path = str(technology.model_path(bench.corner))
        return bench.deck(models=technology.model_line(bench.corner, path))

    def waveforms(self, point: Point) -> "xarray.Dataset":
        """See `Subject`; of several trials the first."""
        fidelity = self._fidelity(point.values)
        fidelity = "resistor" if fidelity in on_waveform.METHODS else fidelity
        seed = _trial_seeds(point.seed, self._settings.trials or 1)[0]
        return self.testbench(point).run(fidelity, seed=seed, time_limit=self.time_limit)

    # --- evaluation ---------------------------------------------------------------------------------------------

    @contextmanager
    def session(self) -> Iterator[Evaluate]:
        """See `Subject`. Points side by side that differ in what the simulator draws alone share a process of it."""
        with ExitStack() as stack:
            started: list[CosimWorker] = []

            def worker() -> CosimWorker:  # libngspice is needed for co-simulation alone
                if not started:
                    started.append(stack.enter_context(CosimWorker(find_libngspice(), self.time_limit)))
                return started[0]

            yield partial(self._evaluate, worker=worker)

    def _evaluate(self, points: Sequence[Point], worker: Callable[[], CosimWorker]) -> Iterator[Outcome]:
        for _, group in groupby(points, lambda point: _without_drawn(point.values)):
            alike = list(group)
            fidelity = self._fidelity(alike[0].values)
            if fidelity == "resistor" or fidelity in on_waveform.METHODS:
                yield from self._evaluate_alike(alike)
            else:
                options = {"worker": worker()} if fidelity == "cosim" else {"time_limit": self.time_limit}
                yield from (self._moved(point, fidelity, options) for point in alike)

    def _evaluate_alike(self, points: Sequence[Point]) -> Iterator[Outcome]:
        """Points with one deck, junctions at rest."""
        begin = time.perf_counter()
        try:
            bench = self.testbench(points[0])
            vectors = self._vectors(bench, self._fidelity(points[0].values))
            variants = [Variant(seed=_drawn(point)) for point in points]
            deck = bench.deck(saves=False, seeded=False)
            runs = list(run_many(deck, variants, stop=bench.stop, vectors=vectors, time_limit=self.time_limit))
        except MtjspiceError as error:
            yield from (failed(error, begin=begin) for _ in points)
            return
        seconds = (time.perf_counter() - begin) / len(points)
        for point, run in zip(points, runs, strict=True):
            begin = time.perf_counter()
            found = self._measured(bench, point, run)
            yield replace(found, seconds=seconds + time.perf_counter() - begin)

    def _measured(self, bench: Testbench, point: Point, run: Run) -> Outcome:
        if not run.vectors:
            return Outcome(run.status, reason=run.reason, log=run.log, deck=self.deck(point))
        vectors = {name: np.asarray(values, np.float64) for name, values in run.vectors.items()}
        times = vectors.pop("time")
        results = {name: one.evaluate(times, vectors) for name, one in bench.measurements.items()}
        results |= {f"delivered_{port}": Energy(Power((port,))).evaluate(times, vectors) for port in bench.drives}
        try:
            results |= self._switching(bench, point, times, vectors)
        except MtjspiceError as error:
            return failed(error, self.deck(point))
        return Outcome(run.status, results, run.reason, run.log)

    def _switching(
        self, bench: Testbench, point: Point, times: Floats, vectors: Mapping[str, Floats]
    ) -> dict[str, float]:
        method = self._fidelity(point.values)
        if method not in on_waveform.METHODS:
            return {}
        results: dict[str, float] = {}
        for k, place in enumerate(self._looked_at(bench)):
            junction = bench.junctions()[place]
            volts = Voltage(junction.top, junction.bottom).values(vectors)
            state = bench.states[place] if bench.states else 1
            found = on_waveform.switching(
                method, junction.card, times, volts, state, bench.temperature, self._settings, point.seed
            )
            results |= {f"{name}{k}": value for name, value in found.items()}
        return results

    @property
    def _settings(self) -> Switching:
        return self.switching or Switching()

    def _looked_at(self, bench: Testbench) -> tuple[int, ...]:
        """Numbers of the junctions whose switching is a result."""
        count = len(bench.junctions())
        chosen = self._settings.junctions or bench.observed
        beyond = [k for k in chosen if not 0 <= k < count]
        if beyond and self._settings.junctions:
            raise InputError(f"there is no junction {beyond[0]}; {self.entry.name} has {count}")
        return () if beyond else chosen

    def _vectors(self, bench: Testbench, method: str) -> tuple[str, ...]:
        names = [name for one in bench.measurements.values() for name in vectors_of(one)]
        names += [name for port in bench.drives for name in (f"v({port})", f"i(v{port})")]
        if method in on_waveform.METHODS:
            for k in self._looked_at(bench):
                junction = bench.junctions()[k]
                names += Voltage(junction.top, junction.bottom).vectors
        return tuple(dict.fromkeys(names))

    def _moved(self, point: Point, fidelity: str, options: Mapping[str, Any]) -> Outcome:
        """A point whose junctions move: all its trials."""
        begin = time.perf_counter()
        trials = self._settings.trials or 1
        found: list[dict[str, float]] = []
        try:
            bench = self.testbench(point)
            looked_at = self._looked_at(bench)
            for seed in _trial_seeds(point.seed, trials):
                found.append(_one_run(bench, looked_at, bench.run(fidelity, seed=seed, **options)))
        except MtjspiceError as error:
            return failed(error, self._deck_if_any(point), begin)
        names = [name for name in found[0] if not name.startswith(_SWITCHED)]
        results = {name: float(np.mean([one[name] for one in found])) for name in names}
        for k in range(len(looked_at)):
            switched = int(sum(one[f"{_SWITCHED}{k}"] for one in found))
            results |= {f"{name}{k}": value for name, value in on_waveform.counted(switched, trials).items()}
        return Outcome(Status.OK, results, seconds=time.perf_counter() - begin)

    def _deck_if_any(self, point: Point) -> str:
        try:
            return self.deck(point)
        except MtjspiceError:
            return ""


def _one_run(bench: Testbench, looked_at: Sequence[int], data: "xarray.Dataset") -> dict[str, float]:
    results = {name: float(data.attrs[name]) for name in bench.measurements}
    results |= {f"delivered_{port}": float(data["delivered"].sel(source=port)[-1]) for port in bench.drives}
    results["junction_energy"] = float(data["energy"].values[-1].sum())
    ends = np.sign(data["magnetization"].values[-1, :, 2])
    starts = np.array(bench.states or [1] * len(ends))
    return results | {f"{_SWITCHED}{k}": float(ends[j] != starts[j]) for k, j in enumerate(looked_at)}


def _trial_seeds(seed: int, trials: int) -> list[int]:
    """The seed itself for a single trial, so that it can be repeated by hand."""
    if trials == 1:
        return [seed]
    return [int(one) for one in np.random.SeedSequence(seed).generate_state(trials)]


def _models(technology: Technology, corner: str) -> str:
    """What stands for the model cards of a corner: a library lies elsewhere, and its text is but a reference."""
    path = technology.model_path(corner)
    return file_digest(Path(str(path))) + corner if technology.library else technology.model_text(corner)


def _engine(fidelity: str) -> Path:
    if fidelity == "verilog-a":
        return find_osdi_ngspice()
    return find_libngspice() if fidelity == "cosim" else find_ngspice()


def _drawn(point: Point) -> int | None:
    return next((int(point.values[name]) for name in DRAWN if name in point.values), None)


def _without_drawn(values: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
    return tuple((name, value) for name, value in values.items() if name not in DRAWN)


def _is_power(measurement: object) -> bool:
    return isinstance(getattr(measurement, "of", None), Power) and not isinstance(measurement, Energy)
