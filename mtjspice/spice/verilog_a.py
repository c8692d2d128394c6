"""Netlist lines for the Verilog-A junction (models/verilog-a/mtj.va), for ngspice and for VACASK.

The card is stated at 300 K, whatever the temperature: the model has the laws of temperature itself.
"""

from math import isfinite

import numpy as np
from numpy.typing import ArrayLike

from mtjspice.device import demagnetization, llg
from mtjspice.device.card import CHOICES, PARAMETERS, MTJCard
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.errors import InputError

MODULE = "mtj"
MODEL = "mtj_card"
CELL_MTJ = "mtj_cell"  # the name that mtjspice.circuits.junction gives to the co-simulated one
TERMINALS = ("top", "bottom", "mx", "my", "mz", "rise", "line_in", "line_out")
LONGEST_NODES = 2**31  # noise nodes that the model's integers can count

# card values that the model does not have, or has in another form
_ABSENT = ("breakdown_voltage",)
_INFINITE_AS_ZERO = ("curie_temperature", "barrier_height")


def model_parameters(
    card: MTJCard,
    temperature: float | None = ROOM_TEMPERATURE,
    *,
    noise_step: float = llg.DEFAULT_NOISE_STEP,
    substeps: int = 1,
    drive_hold: float = llg.NO_HOLD,
) -> dict[str, float]:
    """Return the parameters of the model line, SI.

    ``temperature`` (K) None leaves it to the simulator (``.temp``); 0 means the card at 300 K, to be used with
    ``noise`` off. ``noise_step`` (s), ``substeps`` and ``drive_hold`` (s) are those of `llg.parameters`, which raises
    InputError for a bad one of them.
    """
    llg.parameters(card, ROOM_TEMPERATURE if temperature is None else temperature, noise_step, drive_hold, substeps)
    n_x, n_y, n_z = demagnetization.factors(card.diameter, card.diameter_y, card.free_layer_thickness)
    values: dict[str, float] = {"demagnetization_x": n_x, "demagnetization_y": n_y, "demagnetization_z": n_z}
    for key in PARAMETERS:
        value = getattr(card, key)
        if key in _INFINITE_AS_ZERO and not isfinite(value):
            value = 0.0
        if key not in _ABSENT:
            values[key] = value
    values["torque_model"] = CHOICES["torque_model"].allowed.index(card.torque_model)
    if temperature is not None:
        values["ambient"] = temperature or ROOM_TEMPERATURE
    return values | {"noise_step": noise_step, "substeps": substeps, "drive_hold": drive_hold}


def model_line(
    card: MTJCard,
    temperature: float | None = ROOM_TEMPERATURE,
    *,
    name: str = MODEL,
    noise_step: float = llg.DEFAULT_NOISE_STEP,
    substeps: int = 1,
    drive_hold: float = llg.NO_HOLD,
) -> str:
    """Return the ``.model`` line of a card for ngspice; arguments as in `model_parameters`."""
    values = model_parameters(card, temperature, noise_step=noise_step, substeps=substeps, drive_hold=drive_hold)
    lines = [f".model {name} {MODULE}("]
    lines += [f"+ {key}={_number(value)}" for key, value in values.items()]
    return "\n".join([*lines, "+ )"])


def vacask_model_line(
    card: MTJCard,
    temperature: float | None = ROOM_TEMPERATURE,
    *,
    name: str = MODEL,
    noise_step: float = llg.DEFAULT_NOISE_STEP,
    substeps: int = 1,
    drive_hold: float = llg.NO_HOLD,
) -> str:
    """Return the ``model`` line of a card for VACASK; arguments as in `model_parameters`."""
    values = model_parameters(card, temperature, noise_step=noise_step, substeps=substeps, drive_hold=drive_hold)
    values["overshoot"] = 0.0  # corners of sources at nodes: see the model's $bound_step
    return f"model {name} {MODULE} " + " ".join(f"{key}={_number(value)}" for key, value in values.items())


def instance_parameters(
    seed: int, device: int = 0, initial: ArrayLike = (0.0, 0.0, 1.0), *, noise: bool = True
) -> dict[str, float]:
    """Return the parameters of one junction: key of its noise and initial magnetization, of any length.

    Raises InputError unless seed and device are 32-bit words and ``initial`` is a direction.
    """
    direction = np.asarray(initial, dtype=float)
    if direction.shape != (3,) or not np.all(np.isfinite(direction)) or not np.any(direction):
        raise InputError("an initial magnetization has three finite components, not all of them zero")
    x, y, z = direction.tolist()
    return {
        "seed": _word("seed", seed),
        "device": _word("device", device),
        "noise": int(noise),
        "mx0": x,
        "my0": y,
        "mz0": z,
    }


def instance_line(
    label: str,
    nodes: tuple[str, ...],
    seed: int,
    device: int = 0,
    initial: ArrayLike = (0.0, 0.0, 1.0),
    *,
    noise: bool = True,
    model: str = MODEL,
) -> str:
    """Return the line of a junction ``N<label>`` for ngspice; ``nodes`` as in `TERMINALS`, the last may lack."""
    values = _instance(nodes, seed, device, initial, noise)
    return f"n{label} {' '.join(nodes)} {model} {values}"


def vacask_instance_line(
    label: str,
    nodes: tuple[str, ...],
    seed: int,
    device: int = 0,
    initial: ArrayLike = (0.0, 0.0, 1.0),
    *,
    noise: bool = True,
    model: str = MODEL,
) -> str:
    """Return the line of a junction ``n<label>`` for VACASK; as `instance_line`."""
    values = _instance(nodes, seed, device, initial, noise)
    return f"n{label} ({' '.join(nodes)}) {model} {values}"


def _instance(nodes: tuple[str, ...], seed: int, device: int, initial: ArrayLike, noise: bool) -> str:
    if not 2 <= len(nodes) <= len(TERMINALS):
        raise InputError(f"a junction has 2 to {len(TERMINALS)} nodes: {', '.join(TERMINALS)}")
    values = instance_parameters(seed, device, initial, noise=noise)
    return " ".join(f"{key}={_number(value)}" for key, value in values.items())


def mtj_subcircuit(
    card: MTJCard,
    temperature: float | None = ROOM_TEMPERATURE,
    *,
    noise_step: float = llg.DEFAULT_NOISE_STEP,
    substeps: int = 1,
    drive_hold: float = llg.NO_HOLD,
    name: str = CELL_MTJ,
) -> str:
    """Return ``.subckt mtj_cell top bottom`` for ngspice, with m_z on its inner node ``mz``.

    It takes the place of the co-simulated cell of the same name. Parameters of an instance: ``state`` (1 P, -1 AP;
    m starts at (mx0, my0, state mz0)), ``seed`` and ``device`` (the key of the noise; distinct for each junction of a
    deck), ``noise``. Write words of 2^31 and more as `signed_word` does.
    """
    model = model_line(card, temperature, noise_step=noise_step, substeps=substeps, drive_hold=drive_hold)
    return "\n".join(
        [
            f".subckt {name} top bottom state=1 seed=1 device=0 noise=1 mx0=0 my0=0 mz0=1",
            f"ncore top bottom mx my mz rise {MODEL} seed={{seed}} device={{device}} noise={{noise}}"
            " mx0={mx0} my0={my0} mz0={state*mz0}",
            model,
            f".ends {name}",
        ]
    )


def signed_word(word: int) -> int:
    """Return a 32-bit word as the signed integer that the model takes."""
    return word - 2**32 if word >= 2**31 else word


def _word(name: str, value: int) -> int:
    if not 0 <= value < 2**32:
        raise InputError(f"{name} {value} is out of range; allowed: 0 to {2**32 - 1}")
    return signed_word(value)


def _number(value: float) -> str:
    """Write a number so that it reads back to the last bit: the noise is compared to 12 digits."""
    return repr(value) if isinstance(value, int) else repr(float(value))
