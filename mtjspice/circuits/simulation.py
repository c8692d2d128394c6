"""Simulate a deck with its junctions in any fidelity: one call, one result.

The deck calls the subcircuit ``mtj_cell top bottom [state=1|-1]`` wherever it has a junction (any definition of it that
the deck brings is replaced) and has one ``.tran`` line. Seeds and device numbers select the thermal field, the same
function of time in every fidelity:

* ``cosim``: libngspice solves the circuit, the compiled macrospin bank every junction;
* ``verilog-a``: the junctions are compiled models inside an ngspice with OSDI;
* ``behavioral``: they are subcircuits of plain SPICE elements, for any ngspice; some hundred times slower;
* ``resistor``: they stand still, as resistors with the voltage dependence of their state.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjspice import __version__
from mtjspice.circuits.junction import CELL_MTJ, OFFSET_SOURCE, SLOPE_SOURCE, conduction, tangent_body
from mtjspice.device import derived, llg
from mtjspice.device.card import MTJCard, load_card
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.device.macrospin import PARALLEL, thermal_states
from mtjspice.device.temperature import at_temperature, check
from mtjspice.errors import InputError, SimulatorError, choose
from mtjspice.spice import behavioral, netlist, verilog_a
from mtjspice.spice.bank import Junction
from mtjspice.spice.batch import DEFAULT_TIME_LIMIT, BatchResult, run_batch
from mtjspice.spice.compile import compile_model
from mtjspice.spice.engines import find_libngspice
from mtjspice.spice.jobs import CosimJob
from mtjspice.spice.text import number
from mtjspice.spice.worker import CosimWorker

if TYPE_CHECKING:
    import xarray

FIDELITIES = ("cosim", "verilog-a", "behavioral", "resistor")
ACTIVE_STEP = 20e-12  # s; a precession of some GHz is well resolved

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Task:
    """What every fidelity starts from: the deck without its junctions' bodies, and the junctions."""

    deck: netlist.Netlist
    kinds: tuple[str, ...]
    cells: tuple[netlist.Instance, ...]
    cards: tuple[MTJCard, ...]
    initial: Floats
    vectors: tuple[str, ...]
    stop: float
    seed: int
    temperature: float
    noise: bool
    noise_step: float
    drive_hold: float
    active_step: float
    engine: Path | None
    time_limit: float
    worker: CosimWorker | None

    def rows(self) -> Floats:
        """Parameter rows (junctions, columns); equal cards are worked out once."""
        known: dict[int, Floats] = {}
        for key, card in self.distinct_cards().items():
            known[key] = llg.parameters(card, self.temperature, self.noise_step, self.drive_hold)
            known[key][llg.NOISE] *= self.noise
        return np.array([known[id(card)] for card in self.cards]).reshape(-1, llg.COLUMNS)

    def distinct_cards(self) -> dict[int, MTJCard]:
        """The different cards, by their identity."""
        return {id(card): card for card in self.cards}

    def names(self, nodes: Sequence[str]) -> list[str]:
        """Vectors of inner nodes of every cell."""
        return [f"v({cell.path}.{node})" for cell in self.cells for node in nodes]

    def terminals(self) -> list[str]:
        """Vectors of the cells' terminals, each once."""
        return list(dict.fromkeys(f"v({node})" for cell in self.cells for node in cell.nodes if node != "0"))


@dataclass(frozen=True)
class _Waveforms:
    """What every fidelity returns: trajectories (k, n, 3) and rises (k, n), and the circuit's vectors (k,)."""

    times: Floats
    magnetization: Floats
    rise: Floats
    vectors: Mapping[str, Floats]
    engine: str
    attributes: Mapping[str, float]


def simulate(
    deck: str,
    card: MTJCard | str | Sequence[MTJCard] | Mapping[str, MTJCard],
    *,
    fidelity: str = "cosim",
    engine: Path | str | None = None,
    seed: int = 1,
    temperature: float = ROOM_TEMPERATURE,
    initial: ArrayLike | None = None,
    vectors: Sequence[str] | None = None,
    noise: bool = True,
    noise_step: float = llg.DEFAULT_NOISE_STEP,
    drive_hold: float = llg.NO_HOLD,
    active_step: float = ACTIVE_STEP,
    time_limit: float = DEFAULT_TIME_LIMIT,
    folder: Path | str = ".",
    worker: CosimWorker | None = None,
) -> "xarray.Dataset":
    """Run the transient of a deck and return the waveforms of its junctions and ``vectors`` over ``time``.

    ``deck`` is netlist text, see above; its ``.control`` blocks are left out. ``card`` describes all junctions, or
    each in the order of the deck; or it maps names of subcircuits to the cards of their instances, where a deck has
    several kinds of junctions. Device numbers count in that order from 0. ``engine`` names another simulator than
    the one that is found: a libngspice for ``cosim``, an ngspice executable (for ``verilog-a`` with OSDI) otherwise.
    ``temperature`` (K) holds for junctions and circuit. ``initial`` (3,) or (junctions, 3) are the magnetizations at
    the operating point, by default drawn from the thermal distribution around each cell's ``state`` (1 P, -1 AP)
    with ``seed``. ``vectors`` (such as "v(out)" and "i(vdd)") default to those that the deck saves. ``noise`` False
    switches the thermal field and the spread of the drive off, not the draw of the initial states. One draw of the
    cycle-to-cycle spread holds for ``drive_hold`` (s); in ``behavioral`` for the whole run. In ``cosim``, time steps
    are at most ``active_step`` (s) while a junction has voltage. Files that the deck includes by relative names are
    looked for in ``folder``. ``worker`` is a process
    that ``cosim`` uses, which brings its own engine and time limit; by default it starts one, which takes a second.

    The dataset has, over ``time`` (s) and ``junction`` (paths of instances): ``magnetization`` (``component`` x, y,
    z), ``voltage`` (V), ``conductance`` (S), ``current`` (A, without that of the capacitance), ``energy`` (J turned
    into heat so far), ``temperature_rise`` (K), and the circuit's vectors by name.

    Raises InputError for a deck or a value that is not allowed, SimulatorError where the simulator fails.
    """
    choose("fidelity", fidelity, FIDELITIES)
    if not 0 <= seed < 2**32:
        raise InputError(f"seed {seed} is out of range; allowed: 0 to {2**32 - 1}")
    for name, value in (("active step", active_step), ("noise step", noise_step), ("drive hold", drive_hold)):
        if not value > 0:
            raise InputError(f"{name} = {value:g} s must be positive")
    parsed = netlist.parse(deck)
    kinds = tuple(name.lower() for name in card) if isinstance(card, Mapping) else (CELL_MTJ,)
    cells = netlist.instances(parsed, *kinds)
    if not cells:
        raise InputError(f"the deck has no junction: no line calls the subcircuit {' or '.join(kinds)}")
    for cell in cells:
        if len(cell.nodes) != 2:
            raise InputError(f"{cell.path} has {len(cell.nodes)} nodes; {cell.subcircuit} has two, top and bottom")
    if isinstance(card, Mapping):
        of_kind = {name.lower(): one for name, one in card.items()}
        card = [of_kind[cell.subcircuit] for cell in cells]
    cards = _cards(card, len(cells), noise)
    task = _Task(
        deck=_at(netlist.without(netlist.with_absolute_includes(parsed, Path(folder)), ".save"), check(temperature)),
        kinds=kinds,
        cells=cells,
        cards=cards,
        initial=_initial(initial, cells, cards, seed, temperature),
        vectors=tuple(name.lower() for name in (netlist.saved(parsed) if vectors is None else vectors)),
        stop=netlist.transient_stop(parsed),
        seed=seed,
        temperature=temperature,
        noise=noise,
        noise_step=noise_step,
        drive_hold=drive_hold,
        active_step=active_step,
        engine=None if engine is None else Path(engine),
        time_limit=time_limit,
        worker=worker,
    )
    found = _RUNS[fidelity](task)
    return _dataset(task, found, fidelity, deck)


def _cards(card: MTJCard | str | Sequence[MTJCard], count: int, noise: bool) -> tuple[MTJCard, ...]:
    """One card a junction; equal ones are one object. Without noise their drive has no spread."""
    if isinstance(card, str):
        card = load_card(card)
    given = (card,) * count if isinstance(card, MTJCard) else tuple(card)
    if len(given) != count:
        raise InputError(f"{len(given)} cards were given for {count} junctions")
    known: dict[int, MTJCard] = {}
    for one in given:
        quiet = one.cycle_to_cycle_spread == 0 or noise
        known.setdefault(id(one), one if quiet else one.replace(cycle_to_cycle_spread=0.0))
    return tuple(known[id(one)] for one in given)


def _initial(
    initial: ArrayLike | None, cells: Sequence[netlist.Instance], cards: Sequence[MTJCard], seed: int,
    temperature: float,
) -> Floats:  # fmt: skip
    if initial is not None:
        m = np.broadcast_to(np.asarray(initial, float), (len(cells), 3)) if np.ndim(initial) < 2 else np.array(initial)
        length = np.linalg.norm(m, axis=-1, keepdims=True) if m.shape == (len(cells), 3) else np.zeros(1)
        if not (np.all(np.isfinite(m)) and np.all(np.abs(length - 1) < 1e-3)):
            raise InputError(f"initial magnetizations must be unit vectors (3,) or ({len(cells)}, 3)")
        return np.ascontiguousarray(m / length)
    rng = np.random.default_rng(seed)
    states = np.array([_state(cell) for cell in cells])
    which = np.array([id(card) for card in cards])
    m = np.empty((len(cells), 3))
    for card in {id(card): card for card in cards}.values():  # one table of the distribution a card
        m[which == id(card)] = thermal_states(card, states[which == id(card)], rng, temperature)
    return m


def _state(cell: netlist.Instance) -> int:
    text = cell.parameters.get("state", str(PARALLEL))
    try:
        state = netlist.number(text)
    except InputError:
        raise InputError(f"{cell.path}: state={text} is no number; pass `initial`") from None
    if state not in (1, -1):
        raise InputError(f"{cell.path}: state={text} must be 1 (P) or -1 (AP)")
    return int(state)


def _at(deck: netlist.Netlist, temperature: float) -> netlist.Netlist:
    """The deck at a temperature (K); what its options say of one is left out."""
    lines = tuple(
        re.sub(r"\s+temp\s*=\s*\S+", "", line, flags=re.I) if line.lower().startswith(".opt") else line
        for line in deck.lines if not line.lower().startswith(".temp ")
    )  # fmt: skip
    celsius = f".options temp={number(temperature - 273.15)}"
    return netlist.Netlist(deck.title, deck.subcircuits, (*lines, celsius))


# --- the fidelities ------------------------------------------------------------------------------------------


def _with_cells(task: _Task, bodies: Sequence[str], extra: Sequence[str] = ()) -> str:
    """The deck with one body a cell; those that are alike share a subcircuit."""
    distinct = {body: f"{CELL_MTJ}__{k}" for k, body in enumerate(dict.fromkeys(bodies))}
    called = {cell.path: distinct[body] for cell, body in zip(task.cells, bodies, strict=True)}
    definitions = [f".subckt {name} top bottom\n{body}\n.ends {name}" for body, name in distinct.items()]
    if len(distinct) == 1:  # nothing needs a copy
        (body,) = distinct
        definitions = [f".subckt {name} top bottom\n{body}\n.ends {name}" for name in task.kinds]
        kept = {key: value for key, value in task.deck.subcircuits.items() if key not in task.kinds}
        plain = netlist.Netlist(task.deck.title, kept, task.deck.lines)
        return _without_parameters(plain, task.kinds).text([*definitions, *extra])
    return netlist.with_bodies(task.deck, task.kinds, called).text([*definitions, *extra])


def _without_parameters(deck: netlist.Netlist, kinds: Sequence[str]) -> netlist.Netlist:
    """Cells without their ``state``, which no body has as a parameter."""
    pattern = re.compile(rf"^(x.*\s(?:{'|'.join(map(re.escape, kinds))}))\s.*$", re.I)
    subcircuits = {
        name: type(inner)(inner.ports, inner.defaults, tuple(pattern.sub(r"\1", line) for line in inner.body))
        for name, inner in deck.subcircuits.items()
    }
    return netlist.Netlist(deck.title, subcircuits, tuple(pattern.sub(r"\1", line) for line in deck.lines))


def _conducting(card: MTJCard, share: str, temperature: float) -> list[str]:
    here = at_temperature(card, temperature)
    return [
        f"Bj top bottom i={conduction(here, share)}",
        f"Cj top bottom {number(derived.derive(here).capacitance)}",
    ]


def _cosim(task: _Task) -> _Waveforms:
    bodies = {key: tangent_body(at_temperature(card, task.temperature)) for key, card in task.distinct_cards().items()}
    wanted = list(dict.fromkeys((*task.terminals(), *task.vectors)))
    saves = [f".save {' '.join(wanted[k : k + 8])}" for k in range(0, len(wanted), 8)]
    job = CosimJob(
        deck=_with_cells(task, [bodies[id(card)] for card in task.cards], saves),
        junctions=tuple(
            Junction(
                f"v.{cell.path}.{SLOPE_SOURCE}",
                cell.nodes[0],
                cell.nodes[1],
                k,
                offset=f"i.{cell.path}.{OFFSET_SOURCE}",
            )
            for k, cell in enumerate(task.cells)
        ),
        rows=task.rows(),
        initial=task.initial[None],
        seeds=(task.seed,),
        stop=task.stop,
        vectors=tuple(wanted),
        capacity=_capacity(len(task.cells)),
        active_step=task.active_step,
    )
    with nullcontext(task.worker) if task.worker else _started(task) as worker:
        (result,) = worker.run(job)
    if len(result.vectors["time"]) != len(result.times):
        raise SimulatorError(
            f"ngspice kept {len(result.vectors['time'])} of {len(result.times)} points; the deck must not thin them out"
        )
    return _Waveforms(
        result.times, result.trajectory, result.rises, result.vectors, result.engine,
        {
            "coupling_error": result.coupling_error,
            "tangent_error": result.tangent_error,
            "attempts": float(result.attempts),
        },
    )  # fmt: skip


def _started(task: _Task) -> CosimWorker:
    return CosimWorker(task.engine or find_libngspice(), task.time_limit)


def _capacity(junctions: int) -> int:
    """Time points for which a record of 4 GB, taken as it fills, has room."""
    return min(20_000_000, int(4e9 / (8 * (1 + 5 * junctions))))


def _verilog_a(task: _Task) -> _Waveforms:
    models = {key: f"mtj_card{k}" for k, key in enumerate(task.distinct_cards())}
    lines = [
        verilog_a.model_line(
            card, task.temperature, name=models[key], noise_step=task.noise_step, drive_hold=task.drive_hold
        )
        for key, card in task.distinct_cards().items()
    ]
    bodies = [
        verilog_a.instance_line(
            "core", ("top", "bottom", "mx", "my", "mz", "rise"), task.seed, k, m, noise=task.noise,
            model=models[id(card)],
        )
        for k, (card, m) in enumerate(zip(task.cards, task.initial, strict=True))
    ]  # fmt: skip
    # Gear's method damps the precession; the model is made for the trapezoidal rule
    deck = re.sub(r"(?im)^(\.opt.*?)\s+method\s*=\s*\w+", r"\1", _with_cells(task, bodies, lines))
    inner = task.names(("mx", "my", "mz", "rise"))
    result = _batch(task, deck, inner, osdi=[compile_model()])
    m = np.stack([_inner(task, result, node) for node in ("mx", "my", "mz")], axis=-1)
    return _from_batch(task, result, m / np.linalg.norm(m, axis=-1, keepdims=True), _inner(task, result, "rise"))


def _behavioral(task: _Task) -> _Waveforms:
    several = task.cards[0].cycle_to_cycle_spread > 0 and task.drive_hold < task.stop
    if several and task.noise:
        raise InputError("the behavioral junction draws its cycle-to-cycle spread once a run; raise drive_hold")
    texts, files = [], {}
    for k, (card, m) in enumerate(zip(task.cards, task.initial, strict=True)):
        text = behavioral.mtj_subcircuit(
            card, noise="file" if task.noise else "none", temperature=task.temperature, noise_step=task.noise_step,
            seed=task.seed, devices=(k,), stop=task.stop, initial=m, numbered=True,
        )  # fmt: skip
        texts.append(text if k == 0 else text.removeprefix(behavioral.model_text()))
        if task.noise:
            files[behavioral.noise_name(k)] = behavioral.noise_file(task.seed, k, task.stop, task.noise_step)
    called = {cell.path: f"{behavioral.CELL}_{k}" for k, cell in enumerate(task.cells)}
    plain = netlist.without(task.deck, ".tran")
    body = [*texts, behavioral.transient(task.stop, task.noise_step)]
    deck = netlist.with_bodies(plain, task.kinds, called).text(body)
    result = _batch(task, deck, task.names(("mx", "my", "mz")), files=files)
    m = np.stack([_inner(task, result, node) for node in ("mx", "my", "mz")], axis=-1)
    return _from_batch(task, result, m / np.linalg.norm(m, axis=-1, keepdims=True), np.full(m.shape[:2], np.nan))


def _resistor(task: _Task) -> _Waveforms:
    signs = np.where(task.initial[:, 2] < 0, -1.0, 1.0)
    bodies = [
        "\n".join(_conducting(card, number(0.5 - 0.5 * float(sign)), task.temperature))
        for card, sign in zip(task.cards, signs, strict=True)
    ]
    result = _batch(task, _with_cells(task, bodies), [])
    m = np.zeros((len(result.real("time")), len(signs), 3))
    m[:, :, 2] = signs
    return _from_batch(task, result, m, np.zeros(m.shape[:2]))


def _batch(task: _Task, deck: str, inner: Sequence[str], **options: Any) -> BatchResult:
    wanted = list(dict.fromkeys((*task.terminals(), *task.vectors, *inner)))
    return run_batch(
        deck, stop=task.stop, vectors=wanted, ngspice=task.engine, time_limit=task.time_limit, **options
    )  # fmt: skip


def _inner(task: _Task, result: BatchResult, node: str) -> Floats:
    return np.stack([result.real(name) for name in task.names((node,))], axis=-1)


def _from_batch(task: _Task, result: BatchResult, m: Floats, rise: Floats) -> _Waveforms:
    vectors = {name: result.real(name) for name in (*task.terminals(), *task.vectors)}
    return _Waveforms(result.real("time"), m, rise, vectors, result.engine, {})


_RUNS: Mapping[str, Callable[[_Task], _Waveforms]] = {
    "cosim": _cosim,
    "verilog-a": _verilog_a,
    "behavioral": _behavioral,
    "resistor": _resistor,
}


# --- the result ----------------------------------------------------------------------------------------------


def _dataset(task: _Task, found: _Waveforms, fidelity: str, deck: str) -> "xarray.Dataset":
    import xarray

    def potential(node: str) -> Floats | float:
        return 0.0 if node == "0" else found.vectors[f"v({node})"]

    volts = np.stack(
        [np.broadcast_to(potential(a) - potential(b), found.times.shape) for a, b in (c.nodes for c in task.cells)],
        axis=-1,
    )
    conductance = np.stack(
        [
            _conductance(card, found.magnetization[:, k, 2], volts[:, k], found.rise[:, k], task.temperature)
            for k, card in enumerate(task.cards)
        ],
        axis=-1,
    )
    current = conductance * volts
    power = current * volts
    steps = np.diff(found.times)[:, None]
    energy = np.concatenate((np.zeros((1, power.shape[1])), np.cumsum(0.5 * steps * (power[1:] + power[:-1]), axis=0)))
    both = ("time", "junction")
    data = xarray.Dataset(
        {
            "magnetization": ((*both, "component"), found.magnetization, {"units": "1"}),
            "voltage": (both, volts, {"units": "V"}),
            "conductance": (both, conductance, {"units": "S"}),
            "current": (both, current, {"units": "A", "long_name": "conduction current"}),
            "energy": (both, energy, {"units": "J", "long_name": "energy turned into heat"}),
            "temperature_rise": (both, found.rise, {"units": "K"}),
            **{
                name: ("time", found.vectors[name], {"units": "A" if name.startswith("i(") else "V"})
                for name in task.vectors
            },
        },
        coords={
            "time": ("time", found.times, {"units": "s"}),
            "junction": [cell.path for cell in task.cells],
            "component": list("xyz"),
        },
        attrs={
            "card": ", ".join(dict.fromkeys(card.name for card in task.cards)),
            "fidelity": fidelity,
            "engine": found.engine,
            "seed": task.seed,
            "temperature": task.temperature,
            "noise": int(task.noise),
            "deck_sha256": hashlib.sha256(deck.encode()).hexdigest(),
            "mtjspice": __version__,
            **found.attributes,
        },
    )
    return data


def _conductance(card: MTJCard, m_z: Floats, volts: Floats, rise: Floats, temperature: float) -> Floats:
    """G of the device at each time; hot where it heats itself."""
    here = at_temperature(card, temperature)
    parallel = derived.area(here) / here.resistance_area_product
    linear, quadratic = derived.conductance_coefficients(here)
    tmr: Floats | float = here.tmr
    coefficient = card.polarization_coefficient
    if coefficient > 0 and card.thermal_resistance > 0 and isfinite(float(rise[-1])):
        polar = (1 - coefficient * (temperature + rise) ** 1.5) / (1 - coefficient * temperature**1.5)
        julliere = here.tmr / (here.tmr + 2) * polar**2
        tmr = 2 * julliere / (1 - julliere)
    antiparallel = 1 / (1 + tmr / (1 + (volts / here.tmr_half_voltage) ** 2))
    bias = 1 + (linear + quadratic * volts) * volts
    return np.asarray(0.5 * parallel * bias * ((1 + m_z) + antiparallel * (1 - m_z)))
