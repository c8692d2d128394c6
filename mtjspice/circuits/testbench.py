"""A circuit between sources and loads, with what is to be measured: the unit that is simulated and emitted.

The circuit is the instance ``Xdut``; its ports are nodes of the same names. Every driven port has an ideal source named
after it (``vsense``), so that what the sources deliver is what the circuit draws.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import inf, isfinite, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from mtjspice import __version__
from mtjspice.circuits.checks import connected_ports
from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.elements import GROUND, Junction
from mtjspice.circuits.junction import OFFSET_SOURCE, SLOPE_SOURCE
from mtjspice.circuits.measurements import Measurement, Power, vectors_of
from mtjspice.circuits.parasitics import CAPACITOR, Parasitics
from mtjspice.circuits.rendering import Library
from mtjspice.circuits.simulation import FIDELITIES, simulate
from mtjspice.circuits.stimulus import Points, Signal, written
from mtjspice.device.card import MTJCard
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.device.temperature import check as checked_temperature
from mtjspice.errors import InputError, choose
from mtjspice.spice.bank import Junction as ExternalJunction
from mtjspice.spice.batch import run_batch
from mtjspice.spice.many import run_many
from mtjspice.spice.runs import Status, Variant
from mtjspice.spice.text import number

if TYPE_CHECKING:
    import xarray

INSTANCE = "dut"
# of the datasets of runs, beside the measurements
_ATTRIBUTES = frozenset(
    {"circuit", "technology", "corner", "temperature", "card", "fidelity", "engine", "seed", "noise", "mtjspice"}
)
Drive = float | Signal | Points


@dataclass(frozen=True)
class Testbench:
    """A circuit under test.

    ``drives`` maps ports to volts, a `Signal` or corners (s, V); a port without one is an output, or an error.
    ``loads`` are capacitances (F) and ``resistors`` resistances (ohm) from ports to ground. ``probes`` are further
    vectors to save, with nodes inside the circuit written as ``v(xdut.node)``. ``states`` (1 P, -1 AP) are those of the
    junctions before the run, all P by default. ``mismatch_seed`` draws every transistor's mismatch, where the
    technology has any; ``process_seed`` draws the process variation that they share, in the technology's corner for
    that. (If both are given they must be equal: ngspice has one generator.) ``options`` are further ones of ngspice
    ("bypass=1"), ``nodesets`` first guesses (V) of node potentials, which choose the state of a latch. ``observed``
    are the numbers of the junctions whose switching matters. ``parasitics`` are what a layout of the circuit adds, in
    the place of the capacitors that stand for wires. Times are in s, ``temperature`` in K. The default step
    and tolerance hold the width of a 0.55 ns pulse within 0.1 % of a ten times finer run.
    """

    __test__ = False  # not one of pytest's

    circuit: Circuit
    stop: float
    drives: Mapping[str, Drive]
    loads: Mapping[str, float] = field(default_factory=dict)
    resistors: Mapping[str, float] = field(default_factory=dict)
    measurements: Mapping[str, Measurement] = field(default_factory=dict)
    probes: tuple[str, ...] = ()
    states: tuple[int, ...] = ()
    corner: str = ""
    temperature: float = ROOM_TEMPERATURE
    mismatch_seed: int | None = None
    process_seed: int | None = None
    max_step: float = 1e-11
    relative_tolerance: float = 1e-4
    options: str = ""
    nodesets: Mapping[str, float] = field(default_factory=dict)
    observed: tuple[int, ...] = (0,)
    title: str = ""
    parasitics: Parasitics | None = None

    def __post_init__(self) -> None:
        technology = self.circuit.technology
        if not self.corner:
            drawn = self.process_seed is not None and technology.process_corner
            object.__setattr__(self, "corner", drawn or technology.default_corner)
        technology.model_path(self.corner)  # an unknown corner is an error
        checked_temperature(self.temperature)
        self._check_seeds()
        if self.states and len(self.states) != len(self.circuit.own_junctions):
            raise InputError(
                f"{len(self.states)} states were given for the {len(self.circuit.own_junctions)} junctions "
                f"of {self.circuit.name}"
            )
        if set(self.states) - {1, -1}:
            raise InputError(f"states {self.states} must be 1 (P) or -1 (AP)")
        for name, value in (("stop", self.stop), ("max_step", self.max_step)):
            if not 0 < value < inf:
                raise InputError(f"{name} = {value:g} s must be positive")
        taken = _ATTRIBUTES & self.measurements.keys()
        if taken:
            raise InputError(f"a measurement cannot be called {', '.join(sorted(taken))}: the run's conditions are")
        self._check_drives()
        self._check_parasitics()
        for port in self.drives:
            self._check_points(port)

    def _check_seeds(self) -> None:
        technology = self.circuit.technology
        for what, seed, line in (
            ("mismatch", self.mismatch_seed, technology.mismatch), ("process", self.process_seed, technology.process),
        ):  # fmt: skip
            if seed is not None and not line:
                raise InputError(f"the model cards of {technology.name} have no {what} variation")
            if seed is not None and not 0 < seed < 2**31:
                raise InputError(f"{what} seed {seed} is out of range; allowed: 1 to {2**31 - 1}")
        if self.process_seed is not None and self.corner != technology.process_corner:
            raise InputError(f"process variation is drawn in the corner {technology.process_corner}, not {self.corner}")
        if None not in (self.mismatch_seed, self.process_seed) and self.mismatch_seed != self.process_seed:
            raise InputError("mismatch and process variation of one run have one seed")

    @property
    def simulator_seed(self) -> int | None:
        """Seed of what ngspice draws; None where it draws nothing."""
        return self.mismatch_seed if self.mismatch_seed is not None else self.process_seed

    def _check_points(self, port: str) -> None:
        times, volts = zip(*self.points(port), strict=True)
        if not all(map(isfinite, (*times, *volts))) or times[0] < 0 or any(b <= a for a, b in pairwise(times)):
            raise InputError(f"the source of {port} must have finite voltages at times that increase from 0 on")

    def _check_drives(self) -> None:
        ports = {port.name: port.direction for port in self.circuit.ports()}
        for name in (*self.drives, *self.loads, *self.resistors):
            if name not in ports:
                raise InputError(f"{self.circuit.name} has no port {name!r}; it has {', '.join(ports)}")
        for name, direction in ports.items():
            if direction in ("input", "supply") and name not in self.drives:
                raise InputError(f"{direction} {name} of {self.circuit.name} is not driven")
        tied = {GROUND, *self.drives, *self.resistors}
        for group in connected_ports(self.circuit):
            if tied & set(group):
                tied |= set(group)
        for name, direction in ports.items():
            if direction == "inout" and name not in tied:
                raise InputError(f"{name} of {self.circuit.name} floats: no direct current reaches it")

    def _check_parasitics(self) -> None:
        if self.parasitics is None:
            return
        self.parasitics.check(self.circuit)
        taken = [port for port in self.loads if re.fullmatch(CAPACITOR[1:] + r"\d+", port)]
        if taken:
            raise InputError(f"a load at the port {taken[0]} has the name of a parasitic capacitor")

    def junctions(self) -> tuple[Junction, ...]:
        """The stochastic junctions, with their names in the deck; device numbers count in this order."""
        return self.circuit.junctions(INSTANCE)

    def points(self, port: str) -> Points:
        """Corners (s, V) of a port's source."""
        drive = self.drives[port]
        if isinstance(drive, Signal):
            return drive.points
        return ((0.0, float(drive)),) if isinstance(drive, (int, float)) else tuple(drive)

    def vectors(self) -> tuple[str, ...]:
        """What is saved: ports, currents of sources, what the measurements need, probes."""
        ports = [f"v({port.name})" for port in self.circuit.ports()]
        currents = [f"i(v{name})" for name in self.drives]
        measured = [vector for one in self.measurements.values() for vector in vectors_of(one)]
        return tuple(dict.fromkeys((*ports, *currents, *measured, *self.probes)))

    def bank(self) -> tuple[ExternalJunction, ...]:
        """The junctions as `mtjspice.spice.jobs` takes them, for a deck with ``cosimulated`` ones."""
        return tuple(
            ExternalJunction(
                f"v.{junction.path}.{SLOPE_SOURCE}", junction.top, junction.bottom, device,
                offset=f"i.{junction.path}.{OFFSET_SOURCE}",
            )
            for device, junction in enumerate(self.junctions())
        )  # fmt: skip

    def deck(
        self, *, models: str | None = None, states: bool = True, cosimulated: bool = False, saves: bool = True,
        control: Sequence[str] = (), seeded: bool = True,
    ) -> str:  # fmt: skip
        """Write the deck, with junctions that stand still, or with ``cosimulated`` ones.

        ``models`` replaces the model cards, for example by an ``.include`` line; ``states`` False leaves the junctions'
        states out; ``control`` lines go into a ``.control`` block (see `commands`);
        ``seeded`` False leaves the seed of the mismatch to them.
        """
        technology = self.circuit.technology
        library = Library(self.temperature, states, cosimulated, self.parasitics)
        name = library.add(self.circuit)
        nodes = " ".join(port.name for port in self.circuit.ports())
        own = library.instance_states(self.circuit, self.states) if library.states and self.states else {}
        values = "".join(f" {key}={value}" for key, value in own.items())
        corner = f"{technology.name} {self.corner}, {self.temperature:g} K"
        lines = [
            self.title or f"{name} in {corner} (mtjspice {__version__})",
            library.text().rstrip(),
            f"X{INSTANCE} {nodes} {name}{values}",
            *(f"V{port} {port} 0 {written(self.points(port))}" for port in self.drives),
            *(f"C{port} {port} 0 {number(farad)}" for port, farad in self.loads.items()),
            *(f"R{port} {port} 0 {number(ohm)}" for port, ohm in self.resistors.items()),
            *(self.parasitics.lines(self.circuit, INSTANCE) if self.parasitics is not None else ()),
            models if models is not None else technology.model_text(self.corner).rstrip(),
        ]
        lines += [technology.mismatch] if self.mismatch_seed is not None else []
        lines += [technology.process] if self.process_seed is not None else []
        if self.simulator_seed is not None and seeded:
            lines.append(f".option seed={self.simulator_seed}")
        # trapezoidal, as co-simulation needs; chgtol: the charges here are of some fC
        basic = f"reltol={number(self.relative_tolerance)} chgtol=1e-16 temp={number(self.temperature - 273.15)}"
        lines.append(f".options {basic} {self.options}".rstrip())
        lines += [f".nodeset v({node})={number(volts)}" for node, volts in self.nodesets.items()]
        if saves:
            vectors = self.vectors()
            lines += [f".save {' '.join(vectors[k : k + 8])}" for k in range(0, len(vectors), 8)]
        lines.append(f".tran {number(self.max_step / 10)} {number(self.stop)} 0 {number(self.max_step)}")
        if control:
            lines += [".control", *control, ".endc"]
        return "\n".join([*lines, ".end", ""])

    def commands(self) -> list[str]:
        """Lines of a ``.control`` block for plain ngspice: run, then print every measurement by name."""
        lines = ["set num_threads=1", "run"]
        for name, measurement in self.measurements.items():
            lines += measurement.commands(name)
        return [*lines, "quit 0"]

    def run(self, fidelity: str = "resistor", *, seed: int = 1, **options: Any) -> "xarray.Dataset":
        """Simulate and return the waveforms; the attributes have the measurements by name.

        ``delivered`` (time, source) is the energy (J) that each source has delivered so far; sources have the names of
        the ports that they drive. ``fidelity`` is one of `mtjspice.circuits.simulation`: "resistor" has junctions that
        stand still. ``options`` are handed on to it (``noise``, ``engine``, ``time_limit``). Junctions start in
        `states` with thermal tilts drawn from ``seed``.
        """
        choose("fidelity", fidelity, FIDELITIES)
        if fidelity == "resistor" or not self.junctions():
            data = self._run_still(**options)
        else:
            states = bool(self.states) and "initial" not in options
            data = simulate(
                self.deck(states=states, saves=False), self._cells(), fidelity=fidelity, seed=seed,
                temperature=self.temperature, vectors=self.vectors(), **options,
            )  # fmt: skip
        return self._with_energies(data).assign_attrs(
            circuit=self.circuit.name, technology=self.circuit.technology.name, corner=self.corner,
            temperature=self.temperature, **self.measure(data),
        )  # fmt: skip

    def measure_draws(
        self, seeds: Iterable[int], *, workers: int = 1, progress: Callable[[int], None] = lambda done: None,
    ) -> Iterator[dict[str, float]]:  # fmt: skip
        """Run once for every mismatch seed, junctions standing still, and yield the measurements; NaN for a failed run.

        As ``at(mismatch_seed=seed).run().attrs`` for each, without ngspice's start-up for each. InputError where the
        technology has no mismatch; ``progress`` gets the number of finished runs.
        """
        vectors = tuple(dict.fromkeys(name for one in self.measurements.values() for name in vectors_of(one)))
        deck = self.at(mismatch_seed=1).deck(saves=False, seeded=False)
        variants = (Variant(seed=seed) for seed in seeds)
        for run in run_many(deck, variants, stop=self.stop, vectors=vectors, workers=workers, progress=progress):
            if run.status is not Status.OK:
                yield dict.fromkeys(self.measurements, nan)
                continue
            waveforms = {name: np.asarray(values, np.float64) for name, values in run.vectors.items()}
            time = waveforms.pop("time")
            yield {name: one.evaluate(time, waveforms) for name, one in self.measurements.items()}

    def _with_energies(self, data: "xarray.Dataset") -> "xarray.Dataset":
        power = np.stack([Power((name,)).values(_vectors(data)) for name in self.drives], axis=-1)
        steps = np.diff(data["time"].values)[:, None]
        energy = np.concatenate(
            (np.zeros((1, power.shape[1])), np.cumsum(steps * (power[1:] + power[:-1]) / 2, axis=0))
        )
        about = {"units": "J", "long_name": "energy that a source has delivered"}
        return data.assign(delivered=(("time", "source"), energy, about)).assign_coords(source=list(self.drives))

    def _cells(self) -> dict[str, MTJCard]:
        library = Library(self.temperature, False)
        library.add(self.circuit)
        return library.cells

    def _run_still(self, **options: Any) -> "xarray.Dataset":
        import xarray

        allowed = {"engine", "time_limit", "noise"}
        if options.keys() - allowed:
            raise InputError(f"unknown options of a run: {', '.join(sorted(options.keys() - allowed))}")
        limit = {"time_limit": options["time_limit"]} if "time_limit" in options else {}
        result = run_batch(
            self.deck(saves=False), stop=self.stop, vectors=self.vectors(), ngspice=options.get("engine"), **limit
        )
        return xarray.Dataset(
            {
                name: ("time", result.real(name), {"units": "A" if name.startswith("i(") else "V"})
                for name in self.vectors()
            },
            coords={"time": ("time", result.real("time"), {"units": "s"})},
            attrs={"fidelity": "resistor", "engine": result.engine, "mtjspice": __version__},
        )

    def measure(self, data: "xarray.Dataset") -> dict[str, float]:
        """Evaluate the measurements on waveforms; NaN for what cannot be measured."""
        time = np.asarray(data["time"].values)
        vectors = _vectors(data)
        return {name: measurement.evaluate(time, vectors) for name, measurement in self.measurements.items()}

    def at(self, **changes: Any) -> "Testbench":
        """Return the same bench with other conditions, such as ``corner="ss"``."""
        return replace(self, **changes)


def _vectors(data: "xarray.Dataset") -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """The simulator's own vectors among the variables of a run, v(...) and i(...)."""
    return {str(name): np.asarray(data[name].values) for name in data.data_vars if str(name)[1:2] == "("}
