"""The stochastic junction as a plain SPICE subcircuit: netlist text for any ngspice from version 36 on.

``models/ngspice/mtj_behavioral.lib`` holds the equation of `mtjspice.device.llg`, self-heating included; only a
spin-orbit line is missing, as the junction has two terminals. The parameters of a card and the sources of the thermal
field come from here. The field comes in three ways:

* ``replay``: the nodes of `mtjspice.device.noise`, as piecewise-linear sources in the deck. The trajectory is that of
  the same seed and device in every other engine, integration error apart. ngspice searches such a source from its
  beginning, so the time of a run grows with the square of its length: `REPLAY_NODES` at most.
* ``file``: the same nodes in a file (`noise_file`), read by the XSPICE model ``filesource``; any length, 32 bytes of
  memory a node.
* ``seeded``: ``trrandom`` sources and ``.options seed``: the same run again in the same build of ngspice, another run
  in another build. The values are held through a noise step instead of joined by lines. Both have the same spectral
  density at low frequencies; at the frequency f it falls as sinc^2(f dt_n) instead of sinc^4(f dt_n), which is
  (pi f dt_n)^2/3 more, 3e-4 at 10 GHz and 1 ps.

Sources of all three ways end a time step at each noise node; without noise the largest step in ``.tran`` must keep
the steps short (`transient`).
"""

from collections.abc import Sequence
from math import ceil, hypot, inf, isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjspice import resources
from mtjspice.device import derived, llg
from mtjspice.device.card import MTJCard
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.device.noise import drive_deviation, field_node
from mtjspice.errors import InputError, choose
from mtjspice.spice.text import number

MODEL = "mtj_behavioral"
CELL = "mtj_cell"  # the name of the junction of a cell in every variant
NOISES = ("file", "none", "replay", "seeded")
REPLAY_NODES = 10_000  # of a piecewise-linear source; at 8000 a run takes four times as long as with a file
LARGEST_SEED = 2**31 - 1  # of ngspice's own generator

_NO_CURIE = 1e12  # K; ngspice reads no infinity
_PAIRS = 6  # on a line
# columns of a parameter row that the subcircuit takes under the same name
_COLUMNS = (
    "precession", "damping", "field_x", "field_y", "field_z", "field_z_linear", "field_z_quadratic", "field_k",
    "field_k_linear", "field_k_quadratic", "field_interface", "field_exchange", "field_shape_y", "torque_asymmetry",
    "field_like", "noise", "noise_step", "conductance_p", "conductance_linear", "conductance_quadratic", "tmr",
    "tmr_half_voltage", "vcma_lag", "thermal_resistance", "anisotropy_exponent", "vcma_exponent",
    "polarization_coefficient",
)  # fmt: skip


def model_text() -> str:
    """Return the text of the subcircuit `MODEL`, to be copied into a deck."""
    return (resources.data("models") / "ngspice" / f"{MODEL}.lib").read_text(encoding="utf-8")


def subcircuit_parameters(
    card: MTJCard, temperature: float = ROOM_TEMPERATURE, noise_step: float = llg.DEFAULT_NOISE_STEP
) -> dict[str, float]:
    """Return the parameters of `MODEL` for a card at ``temperature`` (K); 0 K is the card of 300 K without noise.

    Initial state and spread of the drive are left at their defaults. ``noise_step`` (s) also sets the rate that holds
    |m| at 1. Raises InputError for a card with a spin-orbit line and where the step does not resolve the precession.
    """
    if card.spin_hall_angle != 0:
        raise InputError(
            f"card {card.name!r}: the behavioral junction has no spin-orbit line (spin_hall_angle is not 0)"
        )
    row = llg.parameters(card, temperature, noise_step)
    values = {name: float(row[getattr(llg, name.upper())]) for name in _COLUMNS}
    by_voltage = llg.TORQUE_MODELS[int(row[llg.TORQUE_MODEL])] == "voltage"
    values["torque"] = float(row[llg.TORQUE]) if by_voltage else 0.0
    values["torque_per_ampere"] = 0.0 if by_voltage else float(row[llg.TORQUE_PER_AMPERE])
    values["capacitance"] = derived.derive(card).capacitance
    values["thermal_time"] = card.thermal_resistance * card.thermal_capacitance
    values["ambient"] = temperature or ROOM_TEMPERATURE
    values["curie"] = card.curie_temperature if card.curie_temperature < inf else _NO_CURIE
    return values


def mtj_subcircuit(
    card: MTJCard,
    *,
    noise: str,
    temperature: float = ROOM_TEMPERATURE,
    noise_step: float = llg.DEFAULT_NOISE_STEP,
    seed: int = 1,
    devices: Sequence[int] = (0,),
    stop: float | None = None,
    initial: ArrayLike | None = None,
    numbered: bool = False,
) -> str:
    """Return netlist text with the model and one junction ``top bottom`` for each device.

    A single device is the subcircuit ``mtj_cell``, which every cell of the library calls; several (and with
    ``numbered`` a single one, too) are ``mtj_cell_<device>``, as each has a thermal field of its own. Instances take
    ``state`` (-1 turns m_z over) and ``mx0 my0 mz0``; m_z of an instance ``Xa`` is ``v(xa.mz)``. Only with ``seeded``
    noise do several instances of one subcircuit differ.

    ``noise`` is one of `NOISES`; ``stop`` (s) is the length of a ``replay``. ``file`` expects the files `noise_file`
    under the names `noise_name` in the folder where ngspice runs. ``initial`` (3,) or (devices, 3) is the
    magnetization at the operating point, by default the P state at rest. The spread of the VCMA drive is drawn once
    a device, for one pulse (``drive_scale``); with ``none`` nothing is drawn.
    Raises InputError for anything out of range.
    """
    choose("noise", noise, NOISES)
    values = subcircuit_parameters(card, temperature, noise_step)
    if noise == "none":
        values["noise"] = 0.0
    devices = [_check_word("device", device) for device in devices]
    if not devices or len(set(devices)) != len(devices):
        raise InputError("the behavioral junction needs one device number or several different ones")
    states = _initial_states(values, len(devices), initial)
    text = [model_text()]
    if noise == "seeded":
        text.append(f".options seed={_check_word('seed of ngspice', seed, 1, LARGEST_SEED)}")
    _check_word("seed", seed)
    for device, state in zip(devices, states, strict=True):
        name = f"{CELL}_{device}" if numbered or len(devices) > 1 else CELL
        drawn = card.cycle_to_cycle_spread > 0 and noise != "none"
        scale = 1.0 + card.cycle_to_cycle_spread * drive_deviation(seed, device, 0) if drawn else 1.0
        sources = _sources(noise, seed, device, stop, noise_step)
        text.append(_cell(name, values | {"drive_scale": scale}, state, sources))
    return "\n".join(text)


def transient(stop: float, noise_step: float = llg.DEFAULT_NOISE_STEP, pieces: int = 2) -> str:
    """Return the ``.tran`` line for times in s; its largest step is the noise step over ``pieces`` (1 or more).

    The error of a trajectory falls with the square of ``pieces``; 2 costs an eighth more than 1, 4 half as much again,
    as ngspice starts every noise interval with a step of a tenth or less in any case.
    """
    if not (0 < stop < inf and 0 < noise_step < inf and pieces >= 1):
        raise InputError("stop time, noise step and the number of pieces must be positive")
    return f".tran {number(noise_step)} {number(stop)} 0 {number(noise_step / pieces)}"


# --- sources of the thermal field, between nx, ny, nz and ground -----------------------------------------------------


def replay_sources(seed: int, device: int, stop: float, noise_step: float = llg.DEFAULT_NOISE_STEP) -> str:
    """Return piecewise-linear sources of the thermal field of a device from 0 to ``stop`` (s).

    Raises InputError for more than `REPLAY_NODES` nodes.
    """
    if stop > (REPLAY_NODES + 0.5) * noise_step:
        raise InputError(
            f"a replay of {stop:g} s in steps of {noise_step:g} s is too long for piecewise-linear sources; at most "
            f"{REPLAY_NODES} steps (noise 'file' has no limit)"
        )
    nodes = _nodes(seed, device, stop, noise_step)
    times = [number(k * noise_step) for k in range(len(nodes))]
    lines = []
    for axis, column in zip("xyz", nodes.T, strict=True):
        pairs = [f"{time} {number(value)}" for time, value in zip(times, column, strict=True)]
        rows = [" ".join(pairs[k : k + _PAIRS]) for k in range(0, len(pairs), _PAIRS)]
        lines += [f"Vn{axis} n{axis} 0 dc 0 pwl(", *(f"+ {row}" for row in rows), "+ )"]
    return "\n".join(lines)


def noise_name(device: int) -> str:
    """Name of the file that `file_sources` reads; in lower case, as ngspice folds names."""
    return f"mtj_noise_{device}.txt"


def noise_file(seed: int, device: int, stop: float, noise_step: float = llg.DEFAULT_NOISE_STEP) -> str:
    """Return the contents of the file of the thermal field of a device: time in s, then x, y, z of each node."""
    nodes = _nodes(seed, device, stop, noise_step)
    return "".join(
        f"{number(k * noise_step)} {number(x)} {number(y)} {number(z)}\n" for k, (x, y, z) in enumerate(nodes)
    )


def file_sources(device: int, noise_step: float = llg.DEFAULT_NOISE_STEP) -> str:
    """Return the XSPICE source that reads `noise_name`, and a silent random source, which ends steps at the nodes."""
    return "\n".join(
        [
            "Anoise %v([nx ny nz]) noise_nodes",
            f'.model noise_nodes filesource (file="{noise_name(device)}" amploffset=[0 0 0] amplscale=[1 1 1]'
            " timeoffset=0 timescale=1)",
            f"Vclock clock 0 dc 0 trrandom(2 {number(noise_step)} 0 0 0)",
        ]
    )


def seeded_sources(noise_step: float = llg.DEFAULT_NOISE_STEP) -> str:
    """Return random sources that hold a new N(0,1) value through each noise step."""
    return "\n".join(f"Vn{axis} n{axis} 0 dc 0 trrandom(2 {number(noise_step)} 0 1 0)" for axis in "xyz")


def _sources(noise: str, seed: int, device: int, stop: float | None, noise_step: float) -> str:
    if noise == "seeded":
        return seeded_sources(noise_step)
    if noise == "file":
        return file_sources(device, noise_step)
    if noise == "none":
        return "\n".join(f"Vn{axis} n{axis} 0 0" for axis in "xyz")
    if stop is None:
        raise InputError("a replay of the thermal field needs its stop time")
    return replay_sources(seed, device, stop, noise_step)


def _nodes(seed: int, device: int, stop: float, noise_step: float) -> NDArray[np.float64]:
    """Values of the noise nodes (nodes, 3) from 0 to the first one after ``stop``."""
    _check_word("seed", seed)
    _check_word("device", device)
    if not (0 < stop < inf and 0 < noise_step < inf):
        raise InputError(f"stop time {stop:g} s and noise step {noise_step:g} s must be positive")
    count = ceil(stop / noise_step) + 2
    return np.array([field_node(seed, device, k) for k in range(count)])


# --- the cell --------------------------------------------------------------------------------------------------------


def _cell(name: str, values: dict[str, float], state: NDArray[np.float64], sources: str) -> str:
    x, y, z = (number(component) for component in state)
    lines = [f".subckt {name} top bottom state=1 mx0={x} my0={y} mz0={z}"]
    lines += [f"Xm top bottom mx my mz nx ny nz {MODEL} mx0={{mx0}} my0={{my0}} mz0={{state*mz0}}"]
    lines += [f"+ {key}={number(value)}" for key, value in values.items()]
    return "\n".join([*lines, sources, f".ends {name}", ""])


def _initial_states(values: dict[str, float], count: int, initial: ArrayLike | None) -> NDArray[np.float64]:
    if initial is None:
        return np.broadcast_to(_at_rest(values), (count, 3))
    states = np.asarray(initial, float)
    if states.shape not in ((3,), (count, 3)) or not np.all(np.isfinite(states)):
        raise InputError(f"the initial magnetization must be three numbers, or ({count}, 3) for {count} devices")
    length = np.linalg.norm(states, axis=-1, keepdims=True)
    if np.any(np.abs(length - 1) > 1e-3):
        raise InputError("an initial magnetization must have length 1")
    return np.broadcast_to(states / length, (count, 3))


def _at_rest(values: dict[str, float]) -> NDArray[np.float64]:
    """P state at rest in the in-plane bias field (the field along z left out); +z for a device without wells."""
    field_k, shape = values["field_k"], values["field_shape_y"]
    if field_k <= 0 or field_k + shape <= 0:
        return np.array([0.0, 0.0, 1.0])
    x, y = values["field_x"] / field_k, values["field_y"] / (field_k + shape)
    across = hypot(x, y)
    if across >= 1 or not isfinite(across):
        return np.array([0.0, 0.0, 1.0])
    return np.array([x, y, float(np.sqrt(1 - across**2))])


def _check_word(what: str, value: int, low: int = 0, high: int = 2**32 - 1) -> int:
    if not low <= value <= high or value != int(value):
        raise InputError(f"{what} {value} is out of range; allowed: {low} to {high}")
    return int(value)
