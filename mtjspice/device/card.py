"""The device card: one description of an MTJ that drives every fidelity.

A card is a TOML file. Every value is a unit string with a source and a status (``paper``, ``derived`` or
``assumed``); `MTJCard` holds them as SI floats, validated. Formulas and conventions: `mtjspice.device.derived`.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import replace as dataclass_replace
from math import isfinite
from pathlib import Path
from typing import Any

from mtjspice import resources, units
from mtjspice.device import demagnetization
from mtjspice.device.constants import BOLTZMANN, ROOM_TEMPERATURE
from mtjspice.errors import InputError, choose

STATUSES = ("paper", "derived", "assumed")


@dataclass(frozen=True)
class Origin:
    """Where a card value comes from."""

    status: str
    source: str


_JULLIERE = Origin("derived", "P = sqrt(TMR/(TMR + 2)), Julliere 1975")


def _polarization(tmr: float) -> float:
    return float((tmr / (tmr + 2)) ** 0.5)


@dataclass(frozen=True)
class Parameter:
    """One entry of a card: its SI unit, allowed range and meaning. ``default`` None means required."""

    unit: str
    low: float
    high: float
    description: str
    default: float | None = None
    display: str | None = None

    def show(self, value: float, digits: int = 4) -> str:
        """Print a value of this parameter in the unit in which the field quotes it."""
        if self.display is not None:
            return f"{units.convert(value, self.unit, self.display):.{digits}g} {self.display}"
        return units.engineering(value, "" if self.unit == "1" else self.unit, digits)


PARAMETERS: Mapping[str, Parameter] = {
    "diameter": Parameter("m", 5e-9, 1e-6, "diameter of the circular junction"),
    "free_layer_thickness": Parameter("m", 3e-10, 1e-8, "thickness of the free layer"),
    "barrier_thickness": Parameter("m", 5e-10, 4e-9, "thickness of the MgO barrier"),
    "saturation_magnetization": Parameter("A/m", 1e4, 3e6, "saturation magnetization of the free layer"),
    "interfacial_anisotropy": Parameter("J/m^2", 1e-6, 1e-2, "interfacial perpendicular anisotropy K_i at V = 0"),
    "damping": Parameter("1", 1e-5, 1.0, "Gilbert damping"),
    "vcma_coefficient": Parameter("J/(V*m)", -1e-12, 1e-12, "VCMA coefficient xi: dK_i = -xi E, E = V/t_ox", 0.0),
    "vcma_quadratic": Parameter("J/V^2", -1e-20, 1e-20, "quadratic VCMA coefficient: dK_i = -xi2 E^2", 0.0),
    "bias_field": Parameter("T", 0.0, 1.0, "in-plane bias field B_x", 0.0),
    "perpendicular_field": Parameter("T", -1.0, 1.0, "stray or offset field B_z", 0.0),
    "resistance_area_product": Parameter(
        "ohm*m^2", 1e-13, 1e-8, "resistance-area product of the P state at V = 0", display="ohm*um^2"
    ),
    "tmr": Parameter("1", 0.0, 20.0, "tunnel magnetoresistance ratio at V = 0"),
    "tmr_half_voltage": Parameter("V", 0.01, 10.0, "voltage V_h at which the TMR has halved"),
    "spin_polarization": Parameter("1", 0.0, 1.0, "spin polarization of the damping-like torque"),
    "barrier_permittivity": Parameter("1", 1.0, 100.0, "relative permittivity of the barrier", 9.7),
    "cycle_to_cycle_spread": Parameter(
        "1", 0.0, 1.0, "relative standard deviation of the VCMA drive, drawn once a pulse", 0.0
    ),
}  # fmt: skip

# Other ways to state the anisotropy; a card gives exactly one of these or interfacial_anisotropy.
ANISOTROPY_ALTERNATIVES: Mapping[str, Parameter] = {
    "effective_anisotropy": Parameter("J/m^2", 1e-9, 1e-2, "K_eff t_f, demagnetization subtracted"),
    "anisotropy_field": Parameter("T", 1e-4, 10.0, "effective perpendicular anisotropy field B_k"),
    "thermal_stability_factor": Parameter("1", 0.1, 1000.0, "Delta_0 = K_eff V_fl/(k T) at 300 K and zero field"),
}


def _check(where: str, key: str, value: float, parameter: Parameter) -> float:
    if not isfinite(value) or not parameter.low <= value <= parameter.high:
        raise InputError(
            f"{where}: {key} = {parameter.show(value)} is out of range; allowed: "
            f"{parameter.show(parameter.low)} to {parameter.show(parameter.high)}"
        )
    return value


@dataclass(frozen=True)
class MTJCard:
    """An MTJ in SI units; see `PARAMETERS` for units, ranges and meanings.

    Raises InputError when a value is out of range (the message names key, value and allowed range).
    """

    name: str
    title: str
    diameter: float
    free_layer_thickness: float
    barrier_thickness: float
    saturation_magnetization: float
    interfacial_anisotropy: float
    damping: float
    vcma_coefficient: float
    vcma_quadratic: float
    bias_field: float
    perpendicular_field: float
    resistance_area_product: float
    tmr: float
    tmr_half_voltage: float
    spin_polarization: float
    barrier_permittivity: float
    cycle_to_cycle_spread: float
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for key, parameter in PARAMETERS.items():
            _check(f"card {self.name!r}", key, getattr(self, key), parameter)

    def replace(self, **changes: float) -> "MTJCard":
        """Return a card with some SI values changed; their origin becomes ``assumed``.

        A spin polarization that was derived from the TMR follows it.
        """
        for key in changes:
            choose("card parameter", key, PARAMETERS)
        origins = dict(self.origins) | {key: Origin("assumed", "changed by the user") for key in changes}
        values: dict[str, Any] = {**changes, "origins": origins}
        if "tmr" in changes and origins.get("spin_polarization") == _JULLIERE:
            values["spin_polarization"] = _polarization(changes["tmr"])
        return dataclass_replace(self, **values)

    def to_toml(self) -> str:
        """Write the card as TOML that `from_toml` reads back to an equal card."""
        lines = [f"name = {_quote(self.name)}", f"title = {_quote(self.title)}", "", "[parameters]"]
        for key, parameter in PARAMETERS.items():
            origin = self.origins.get(key, Origin("assumed", "set from Python"))
            unit = "" if parameter.unit == "1" else f" {parameter.unit}"
            value = _quote(f"{float(getattr(self, key))!r}{unit}")
            lines.append(
                f"{key} = {{ value = {value}, status = {_quote(origin.status)}, source = {_quote(origin.source)} }}"
            )
        return "\n".join(lines) + "\n"


def _quote(text: str) -> str:
    """Write a TOML basic string; its escapes are those of JSON, and DEL must be escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def from_toml(text: str, where: str) -> MTJCard:
    """Read a card; ``where`` names it in error messages. Raises InputError on anything unexpected."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: not a TOML file ({error})") from None
    for key in document:
        if key not in ("name", "title", "parameters"):
            raise InputError(f"{where}: unknown entry {key!r}; allowed: name, title, parameters")
    entries = document.get("parameters")
    if not isinstance(entries, dict) or not isinstance(document.get("name"), str):
        raise InputError(f'{where}: a card needs name = "..." and a [parameters] table')
    known = {**PARAMETERS, **ANISOTROPY_ALTERNATIVES}
    values: dict[str, float] = {}
    origins: dict[str, Origin] = {}
    for key, entry in entries.items():
        if key not in known:
            raise InputError(f"{where}: unknown parameter {key!r}; allowed: {', '.join(known)}")
        values[key], origins[key] = _entry(f"{where}: {key}", entry, known[key])
        _check(where, key, values[key], known[key])
    _complete(where, values, origins)
    return MTJCard(name=document["name"], title=str(document.get("title", "")), origins=origins, **values)


def _entry(where: str, entry: Any, parameter: Parameter) -> tuple[float, Origin]:
    if not isinstance(entry, dict) or set(entry) != {"value", "status", "source"}:
        raise InputError(f'{where}: expected {{ value = "...", status = "...", source = "..." }}')
    if entry["status"] not in STATUSES:
        raise InputError(f"{where}: status {entry['status']!r} is not one of {', '.join(STATUSES)}")
    if not isinstance(entry["source"], str) or not entry["source"].strip():
        raise InputError(f"{where}: source must say where the value comes from")
    return units.parse(entry["value"], parameter.unit, where), Origin(entry["status"], entry["source"])


def _complete(where: str, values: dict[str, float], origins: dict[str, Origin]) -> None:
    """Fill in defaults and turn the stated anisotropy into K_i."""
    stated = [key for key in ("interfacial_anisotropy", *ANISOTROPY_ALTERNATIVES) if key in values]
    if len(stated) != 1:
        raise InputError(
            f"{where}: give exactly one of interfacial_anisotropy, {', '.join(ANISOTROPY_ALTERNATIVES)}; "
            f"found {', '.join(stated) or 'none'}"
        )
    for key, parameter in PARAMETERS.items():
        if key in values or key in ("interfacial_anisotropy", "spin_polarization"):
            continue
        if parameter.default is None:
            raise InputError(f"{where}: required parameter {key!r} is missing")
        values[key] = parameter.default
        origins[key] = Origin("assumed", "default")
    if "spin_polarization" not in values:
        values["spin_polarization"] = _polarization(values["tmr"])
        origins["spin_polarization"] = _JULLIERE
    key = stated[0]
    if key != "interfacial_anisotropy":
        value, origin = values.pop(key), origins.pop(key)
        values["interfacial_anisotropy"] = _interfacial_anisotropy(key, value, values)
        origins["interfacial_anisotropy"] = Origin(
            origin.status, f"from {key} = {ANISOTROPY_ALTERNATIVES[key].show(value, 6)}: {origin.source}"
        )


def _interfacial_anisotropy(key: str, value: float, values: Mapping[str, float]) -> float:
    thickness, magnetization = values["free_layer_thickness"], values["saturation_magnetization"]
    area = demagnetization.disc_area(values["diameter"])
    if key == "anisotropy_field":
        effective = value * magnetization * thickness / 2
    elif key == "thermal_stability_factor":
        effective = value * BOLTZMANN * ROOM_TEMPERATURE / area
    else:
        effective = value
    return effective + thickness * demagnetization.shape_anisotropy(values["diameter"], thickness, magnetization)


def card_names() -> tuple[str, ...]:
    """Names of the cards that come with mtjspice."""
    folder = resources.data("models") / "cards"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_card(name: str) -> MTJCard:
    """Load a card that comes with mtjspice by name, or any card by the path of its ``.toml`` file."""
    if name.endswith(".toml"):
        try:
            return from_toml(Path(name).read_text(encoding="utf-8"), name)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read the card {name}: {error}") from None
    choose("card", name, card_names())
    return from_toml(
        (resources.data("models") / "cards" / f"{name}.toml").read_text(encoding="utf-8"), f"card {name!r}"
    )
