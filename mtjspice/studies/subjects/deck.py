"""A deck of one's own as a subject: its ``.param`` names are the dimensions.

A deck without stochastic junctions runs in batch, many runs a process, or as replicas in one netlist; one that calls
``mtj_cell`` runs in any of the fidelities.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtjspice.circuits.measurements import Measurement, vectors_of
from mtjspice.circuits.simulation import FIDELITIES, simulate
from mtjspice.device.card import MTJCard
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.errors import InputError, MtjspiceError, choose
from mtjspice.spice import netlist
from mtjspice.spice.batch import DEFAULT_TIME_LIMIT, run_batch
from mtjspice.spice.engines import find_libngspice, find_ngspice
from mtjspice.spice.many import run_many
from mtjspice.spice.replicas import run_replicas
from mtjspice.spice.runs import Run, Status, Variant
from mtjspice.spice.text import number
from mtjspice.spice.worker import CosimWorker
from mtjspice.studies.space import Point, Value
from mtjspice.studies.subjects.base import Dimension, Evaluate, Outcome, Subject, engine_digest, failed, file_digest
from mtjspice.studies.subjects.card_values import CARD, card_dimension, loaded, replaced

if TYPE_CHECKING:
    import xarray

ENGINES = ("batch", "replicas")
DRAWN = "mismatch"


@dataclass(frozen=True)
class DeckSubject(Subject):
    """A deck (its text; ``folder`` is where its includes are looked for) and what is measured on its waveforms.

    ``engine`` "batch" or "replicas" is for decks without stochastic junctions; a deck that calls ``mtj_cell`` needs a
    ``card`` and a ``fidelity``. Dimensions are the deck's ``.param`` names, ``temperature`` (K), ``card.<parameter>``,
    and ``mismatch`` for what ngspice draws itself (``gauss`` and the like). Results are the measurements, and
    ``switched<k>`` of every junction (1 if it ended in the other state).
    """

    text: str
    measurements: Mapping[str, Measurement]
    folder: Path = Path()
    engine: str = "batch"
    fidelity: str = "cosim"
    card: str | MTJCard | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    time_limit: float = DEFAULT_TIME_LIMIT

    def __post_init__(self) -> None:
        choose("engine", self.engine, ENGINES)
        choose("fidelity", self.fidelity, FIDELITIES)
        if not self.measurements and self.card is None:
            raise InputError("nothing is measured on the deck: give it measurements")
        if self.card is not None and not self._has_junctions:
            raise InputError("the deck has a card but no junction: no line calls the subcircuit mtj_cell")
        if self.card is None and self._has_junctions:
            raise InputError("the deck calls mtj_cell; its junctions need a card")
        if self.card is not None and self.engine != "batch":
            raise InputError("replicas are for decks without stochastic junctions")
        for name in self.values:
            self.dimension(name)

    @cached_property
    def _parsed(self) -> netlist.Netlist:
        return netlist.with_absolute_includes(netlist.parse(self.text), self.folder)

    @property
    def _has_junctions(self) -> bool:
        return bool(netlist.instances(self._parsed, "mtj_cell"))

    @cached_property
    def _parameters(self) -> Mapping[str, str]:
        """What the deck's .param lines say."""
        lines = [line for line in self._parsed.lines if line.lower().startswith(".param")]
        pairs = [pair for line in lines for pair in re.findall(r"([A-Za-z]\w*)\s*=\s*(\{[^}]*\}|'[^']*'|\S+)", line)]
        return {name.lower(): value for name, value in pairs}

    @cached_property
    def _card(self) -> MTJCard | None:
        return None if self.card is None else loaded(self.card)

    @property
    def stop(self) -> float:
        """End of the transient, s."""
        return netlist.transient_stop(self._parsed)

    def dimension(self, name: str) -> Dimension:
        """See `Subject`. What the deck's own parameters stand for is not known; they are numbers."""
        if name == DRAWN and self._card is None:
            return Dimension("seed")
        if name == "temperature":
            return Dimension("K", ROOM_TEMPERATURE)
        if name.startswith(CARD) and self._card is not None:
            return card_dimension(self._card, name)
        if name not in self._parameters:
            available = ("temperature", *((f"{CARD}<parameter>",) if self._card else (DRAWN,)), *self._parameters)
            raise InputError(f"the deck has no parameter {name!r}; available: {', '.join(available)}")
        try:
            nominal: float | None = netlist.number(self._parameters[name])
        except InputError:  # an expression
            nominal = None
        return Dimension("1", nominal)

    def identity(self, values: Mapping[str, Value]) -> Mapping[str, object]:
        """See `Subject`: the deck, the files that it includes, and how it is run."""
        included = re.findall(r"(?im)^\.(?:inc(?:lude)?|lib)\s+\"([^\"]+)\"", self._parsed.text())
        engine = find_libngspice() if self._card is not None and self.fidelity == "cosim" else find_ngspice()
        return {
            "subject": "deck", "deck": self._parsed.text(), "files": [file_digest(Path(one)) for one in included],
            "measurements": {name: repr(one) for name, one in self.measurements.items()},
            "card": self._card.to_toml() if self._card else "", "fidelity": self.fidelity if self._card else "",
            "values": dict(self.values), "engine": engine_digest(engine), "kind": self.engine,
        }  # fmt: skip

    def limited(self, time_limit: float) -> Subject:
        """See `Subject`."""
        return replace(self, time_limit=time_limit)

    @property
    def units(self) -> Mapping[str, str]:
        """See `Subject`."""
        return {name: one.unit for name, one in self.measurements.items()}

    # --- the deck of a point ------------------------------------------------------------------------------------

    def deck(self, point: Point) -> str:
        """See `Subject`."""
        return self._with(self._given(point))

    def _given(self, point: Point) -> dict[str, Value]:
        return {**self.values, **point.values}

    def _with(self, values: Mapping[str, Value]) -> str:
        """The deck with values of its parameters, and the temperature where one is given."""
        lines = []
        for line in self._parsed.lines:
            if line.lower().startswith(".param"):
                for name, value in values.items():
                    pattern = rf"(?i)\b({re.escape(name)})\s*=\s*(\{{[^}}]*\}}|'[^']*'|\S+)"
                    line = re.sub(pattern, f"{name}={number(value)}" if not isinstance(value, str) else "", line)
            lines.append(line)
        if "temperature" in values:
            lines = [line for line in lines if not line.lower().startswith(".temp ")]
            lines.append(f".options temp={number(float(values['temperature']) - 273.15)}")
        return netlist.Netlist(self._parsed.title, self._parsed.subcircuits, tuple(lines)).text()

    def waveforms(self, point: Point) -> "xarray.Dataset":
        """See `Subject`."""
        if self._card is not None:
            return self._simulate(point, {"time_limit": self.time_limit})
        import xarray

        vectors = tuple(dict.fromkeys((*self._vectors(), *netlist.saved(self._parsed))))
        seed = point.values.get(DRAWN)
        setup = Variant(seed=None if seed is None else int(seed)).commands()
        found = run_batch(self.deck(point), stop=self.stop, vectors=vectors, setup=setup, time_limit=self.time_limit)
        return xarray.Dataset(
            {name: ("time", found.real(name), {"units": "A" if name.startswith("i(") else "V"}) for name in vectors},
            coords={"time": ("time", found.real("time"), {"units": "s"})},
            attrs={
                "engine": found.engine,
                "fidelity": "deck",
                "temperature": float(self._given(point).get("temperature", ROOM_TEMPERATURE)),
            },
        )

    # --- evaluation ---------------------------------------------------------------------------------------------

    @contextmanager
    def session(self) -> Iterator[Evaluate]:
        """See `Subject`."""
        if self._card is None:
            yield self._evaluate_batch
        elif self.fidelity == "cosim":
            with CosimWorker(find_libngspice(), self.time_limit) as worker:
                yield partial(self._evaluate_moving, options={"worker": worker})
        else:
            yield partial(self._evaluate_moving, options={"time_limit": self.time_limit})

    def _vectors(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for one in self.measurements.values() for name in vectors_of(one)))

    def _evaluate_batch(self, points: Sequence[Point]) -> Iterator[Outcome]:
        for _, group in groupby(points, lambda point: point.values.get("temperature")):
            yield from self._evaluate_alike(list(group))

    def _evaluate_alike(self, points: Sequence[Point]) -> Iterator[Outcome]:
        """Points at one temperature: one deck with other parameters."""
        fixed = {name: value for name, value in self._given(points[0]).items() if name == "temperature"}
        deck = self._with({**self.values, **fixed})
        begin = time.perf_counter()
        run = run_replicas if self.engine == "replicas" else run_many
        try:
            runs = list(
                run(
                    deck, [_variant(point) for point in points], stop=self.stop, vectors=self._vectors(),
                    time_limit=self.time_limit,
                )
            )  # fmt: skip
        except MtjspiceError as error:
            yield from (failed(error, self.deck(point), begin) for point in points)
            return
        seconds = (time.perf_counter() - begin) / len(points)
        for point, one in zip(points, runs, strict=True):
            yield self._measured(point, one, seconds)

    def _measured(self, point: Point, run: Run, seconds: float) -> Outcome:
        if not run.vectors:
            return Outcome(run.status, {}, run.reason, run.log, self.deck(point), seconds)
        vectors = {name: np.asarray(values, np.float64) for name, values in run.vectors.items()}
        times = vectors.pop("time")
        results = {name: one.evaluate(times, vectors) for name, one in self.measurements.items()}
        return Outcome(run.status, results, run.reason, run.log, seconds=seconds)

    def _simulate(self, point: Point, options: Mapping[str, Any]) -> "xarray.Dataset":
        values = self._given(point)
        card = self._card
        assert card is not None
        plain = {name: value for name, value in values.items() if not name.startswith(CARD) and name != "temperature"}
        return simulate(
            self._with(plain), replaced(card, values), fidelity=self.fidelity, seed=point.seed,
            temperature=float(values.get("temperature", ROOM_TEMPERATURE)),
            vectors=tuple(dict.fromkeys((*self._vectors(), *netlist.saved(self._parsed)))), **options,
        )  # fmt: skip

    def _evaluate_moving(self, points: Sequence[Point], options: Mapping[str, Any]) -> Iterator[Outcome]:
        for point in points:
            begin = time.perf_counter()
            try:
                data = self._simulate(point, options)
            except MtjspiceError as error:
                yield failed(error, self.deck(point), begin)
                continue
            times = np.asarray(data["time"].values)
            vectors = {name: np.asarray(data[name].values) for name in self._vectors()}
            results = {name: one.evaluate(times, vectors) for name, one in self.measurements.items()}
            m_z = data["magnetization"].values[:, :, 2]
            results |= {f"switched{k}": float(m_z[0, k] * m_z[-1, k] < 0) for k in range(m_z.shape[1])}
            results["junction_energy"] = float(data["energy"].values[-1].sum())
            yield Outcome(Status.OK, results, seconds=time.perf_counter() - begin)


def _variant(point: Point) -> Variant:
    values = {name: float(value) for name, value in point.values.items() if name not in ("temperature", DRAWN)}
    seed = point.values.get(DRAWN)
    return Variant(values, None if seed is None else int(seed))
