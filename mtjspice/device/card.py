"""The device card: one description of an MTJ that drives every fidelity.

A card is a TOML file. Every value is a unit string with a source and a status (``paper``, ``derived`` or
``assumed``); `MTJCard` holds them as SI floats, validated. Formulas and conventions: `mtjspice.device.derived`.
All values hold at 300 K; `mtjspice.device.temperature` carries them to another temperature.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import replace as dataclass_replace
from math import inf, isfinite, sqrt
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


_DEFAULT = Origin("assumed", "default")
_UNSTATED = Origin("assumed", "set from Python")
_JULLIERE = Origin("derived", "P = sqrt(TMR/(TMR + 2)), Julliere 1975")
_CIRCULAR = Origin("derived", "circular: equal to diameter")


def _polarization(tmr: float) -> float:
    return float((tmr / (tmr + 2)) ** 0.5)


@dataclass(frozen=True)
class Parameter:
    """One entry of a card: its SI unit, allowed range and meaning.

    ``default`` None: required, or following another entry (`FOLLOWERS`). Infinity is allowed where ``high`` is
    infinite; ``display`` is the unit in which the field quotes the value.
    """

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


_BASIC: Mapping[str, Parameter] = {
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

# Entries that follow another one unless the card states them: P the TMR (Julliere), diameter_y the diameter.
FOLLOWERS = ("spin_polarization", "diameter_y")

# Effects beyond the basic device; every default switches its effect off.
EXTENSIONS: Mapping[str, Parameter] = {
    "diameter_y": Parameter(
        "m", 5e-9, 1e-6, "extent along y of an elliptical junction, whose extent along x is the diameter"
    ),
    "bias_field_y": Parameter("T", -1.0, 1.0, "in-plane bias field B_y", 0.0),
    "interlayer_exchange": Parameter(
        "J/m^2", -1e-2, 1e-2, "exchange J_ex with the fixed layer; > 0 favours P: field J_ex/(Ms t_f) along z", 0.0
    ),
    "interlayer_exchange_slope": Parameter("J/(V*m^2)", -1e-2, 1e-2, "voltage slope dJ_ex/dV", 0.0),
    "slonczewski_lambda": Parameter("1", 1.0, 10.0, "asymmetry Lambda of the slonczewski torque", 1.0),
    "field_like_torque": Parameter("1", -10.0, 10.0, "field-like torque b1: b_J = b1 a_J + b2 V^2, along z", 0.0),
    "field_like_quadratic": Parameter("T/V^2", -1.0, 1.0, "quadratic field-like torque b2", 0.0),
    "vcma_lag": Parameter("s", 0.0, 1e-6, "lag tau_v of the VCMA voltage: tau_v dV_e/dt = V - V_e", 0.0),
    "curie_temperature": Parameter(
        "K", 600.0, inf, "Curie temperature of Ms ~ 1 - (T/T_c)^1.5; inf: Ms does not depend on T", inf, "K"
    ),
    "anisotropy_exponent": Parameter("1", 0.0, 10.0, "exponent n of K_i ~ Ms^n (2.18: Alzate et al. 2014)", 2.18),
    "vcma_exponent": Parameter("1", 0.0, 10.0, "exponent n of xi, xi2 ~ Ms^n (2.83: Alzate et al. 2014)", 2.83),
    "polarization_coefficient": Parameter("K^-1.5", 0.0, 1e-4, "coefficient a of P(T) = P_0 (1 - a T^1.5)", 0.0),
    "thermal_resistance": Parameter("K/W", 0.0, 1e9, "thermal resistance R_th; 0: no self-heating", 0.0),
    "thermal_capacitance": Parameter("J/K", 0.0, 1e-6, "heat capacity C_th of the heated volume", 0.0),
    "barrier_height": Parameter(
        "J", 1.602176634e-20, inf, "barrier height phi (Brinkman); inf: G_P does not depend on V", inf, "eV"
    ),
    "barrier_asymmetry": Parameter(
        "J", -1.602176634e-18, 1.602176634e-18, "barrier asymmetry dphi (Brinkman)", 0.0, "eV"
    ),
    "breakdown_voltage": Parameter("V", 0.01, inf, "voltage beyond which the barrier breaks down", inf),
    "spin_hall_angle": Parameter("1", -1.0, 1.0, "spin Hall angle of a spin-orbit line below the free layer", 0.0),
    "spin_orbit_line_width": Parameter("m", 0.0, 1e-5, "width of the spin-orbit line", 0.0),
    "spin_orbit_line_thickness": Parameter("m", 0.0, 1e-6, "thickness of the spin-orbit line", 0.0),
    "spin_orbit_field_like": Parameter("1", -10.0, 10.0, "field-like over damping-like spin-orbit torque", 0.0),
}  # fmt: skip

PARAMETERS: Mapping[str, Parameter] = {**_BASIC, **EXTENSIONS}


@dataclass(frozen=True)
class Choice:
    """One entry of a card that is a word: what is allowed, its meaning and the default."""

    allowed: tuple[str, ...]
    description: str
    default: str


CHOICES: Mapping[str, Choice] = {
    "torque_model": Choice(
        ("voltage", "const", "slonczewski"),
        "damping-like torque: set by the voltage, or by the current with constant or Slonczewski's efficiency",
        "voltage",
    ),
}

SPREAD = "device_to_device"  # table of relative standard deviations, one a parameter
_SPREAD_PARAMETER = Parameter("1", 0.0, 1.0, "relative standard deviation from device to device")

# Other ways to state the anisotropy; a card gives exactly one of these or interfacial_anisotropy.
ANISOTROPY_ALTERNATIVES: Mapping[str, Parameter] = {
    "effective_anisotropy": Parameter("J/m^2", 1e-9, 1e-2, "K_eff t_f, demagnetization subtracted"),
    "anisotropy_field": Parameter("T", 1e-4, 10.0, "effective perpendicular anisotropy field B_k"),
    "thermal_stability_factor": Parameter("1", 0.1, 1000.0, "Delta_0 = K_eff V_fl/(k T) at 300 K and zero field"),
}


# What K_i depends on where a card states another anisotropy.
_GEOMETRY = ("diameter", "diameter_y", "free_layer_thickness", "saturation_magnetization")


def _check(where: str, key: str, value: float, parameter: Parameter) -> float:
    if not parameter.low <= value <= parameter.high:  # not a number is neither
        raise InputError(
            f"{where}: {key} = {parameter.show(value)} is out of range; allowed: "
            f"{parameter.show(parameter.low)} to {parameter.show(parameter.high)}"
        )
    return value


def _check_choice(where: str, key: str, value: object) -> str:
    choice = CHOICES[key]
    if value not in choice.allowed:
        raise InputError(f"{where}: {key} = {value!r} is not one of {', '.join(choice.allowed)}")
    return str(value)


def _default(key: str) -> float:
    default = PARAMETERS[key].default
    assert default is not None, key
    return default


@dataclass(frozen=True)
class MTJCard:
    """An MTJ in SI units; see `PARAMETERS` and `CHOICES` for units, ranges and meanings.

    ``diameter_y`` 0 (not given) becomes the diameter. ``device_spread`` maps parameters to their relative standard
    deviation from device to device; nothing but `mtjspice.device.variation` uses it. ``origins`` says for each
    entry (``device_to_device.<parameter>`` for a spread) where it comes from.

    Raises InputError when a value is out of range (the message names key, value and allowed range) or when
    values contradict each other.
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
    diameter_y: float = 0.0
    bias_field_y: float = _default("bias_field_y")
    interlayer_exchange: float = _default("interlayer_exchange")
    interlayer_exchange_slope: float = _default("interlayer_exchange_slope")
    slonczewski_lambda: float = _default("slonczewski_lambda")
    field_like_torque: float = _default("field_like_torque")
    field_like_quadratic: float = _default("field_like_quadratic")
    vcma_lag: float = _default("vcma_lag")
    curie_temperature: float = _default("curie_temperature")
    anisotropy_exponent: float = _default("anisotropy_exponent")
    vcma_exponent: float = _default("vcma_exponent")
    polarization_coefficient: float = _default("polarization_coefficient")
    thermal_resistance: float = _default("thermal_resistance")
    thermal_capacitance: float = _default("thermal_capacitance")
    barrier_height: float = _default("barrier_height")
    barrier_asymmetry: float = _default("barrier_asymmetry")
    breakdown_voltage: float = _default("breakdown_voltage")
    spin_hall_angle: float = _default("spin_hall_angle")
    spin_orbit_line_width: float = _default("spin_orbit_line_width")
    spin_orbit_line_thickness: float = _default("spin_orbit_line_thickness")
    spin_orbit_field_like: float = _default("spin_orbit_field_like")
    torque_model: str = CHOICES["torque_model"].default
    device_spread: Mapping[str, float] = field(default_factory=dict, hash=False)
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        where = f"card {self.name!r}"
        if self.diameter_y == 0:
            object.__setattr__(self, "diameter_y", self.diameter)
        for key, parameter in PARAMETERS.items():
            _check(where, key, getattr(self, key), parameter)
        for key in CHOICES:
            _check_choice(where, key, getattr(self, key))
        for key, deviation in self.device_spread.items():
            choose("card parameter", key, PARAMETERS)
            _check(where, f"{SPREAD}.{key}", deviation, _SPREAD_PARAMETER)
        self._check_consistency(where)

    def _check_consistency(self, where: str) -> None:
        if self.thermal_resistance > 0 and self.thermal_capacitance == 0:
            raise InputError(f"{where}: thermal_resistance needs a thermal_capacitance > 0 J/K")
        if self.spin_hall_angle != 0 and 0 in (self.spin_orbit_line_width, self.spin_orbit_line_thickness):
            raise InputError(
                f"{where}: spin_hall_angle needs a spin_orbit_line_width and a spin_orbit_line_thickness > 0 m"
            )
        # 1 + c1 V + c2 V^2 has a zero when c1^2 >= 4 c2, that is (dphi/phi)^2 >= 72; see derived.py
        if isfinite(self.barrier_height) and abs(self.barrier_asymmetry) >= sqrt(72) * self.barrier_height:
            show = PARAMETERS["barrier_asymmetry"].show
            raise InputError(
                f"{where}: barrier_asymmetry = {show(self.barrier_asymmetry)} makes Brinkman's conductance vanish at "
                f"a voltage; allowed with this barrier_height: less than {show(sqrt(72) * self.barrier_height)} "
                "either way"
            )
        if self.barrier_asymmetry != 0 and not isfinite(self.barrier_height):
            raise InputError(f"{where}: barrier_asymmetry needs a finite barrier_height")

    @property
    def follows_diameter(self) -> bool:
        """Whether ``diameter_y`` was not stated, so that it follows ``diameter``."""
        return self.diameter_y == self.diameter and self.origins.get("diameter_y", _CIRCULAR) == _CIRCULAR

    def replace(self, **changes: float | str) -> "MTJCard":
        """Return a card with some SI values changed; their origin becomes ``assumed``.

        A spin polarization that was derived from the TMR follows it, a ``diameter_y`` that was not stated follows
        the diameter. K_i stays; where it was computed from another statement of the anisotropy, its origin says
        what has changed since.
        """
        for key, value in changes.items():
            choose("card parameter", key, (*PARAMETERS, *CHOICES))
            if key in PARAMETERS and isinstance(value, str):
                raise InputError(f"card {self.name!r}: {key} = {value!r}: expected a number in {PARAMETERS[key].unit}")
        origins = dict(self.origins) | {key: Origin("assumed", "changed by the user") for key in changes}
        values: dict[str, Any] = {**changes, "origins": origins}
        if "tmr" in changes and origins.get("spin_polarization") == _JULLIERE:
            values["spin_polarization"] = _polarization(values["tmr"])
        if "diameter" in changes and "diameter_y" not in changes and self.follows_diameter:
            values["diameter_y"] = values["diameter"]
        if "interfacial_anisotropy" in origins:
            changed = [key for key in _GEOMETRY if key in changes]
            origins["interfacial_anisotropy"] = _outdated(origins["interfacial_anisotropy"], changed)
        return dataclass_replace(self, **values)

    def stated(self, key: str) -> bool:
        """Whether an entry was stated or differs from its default (a follower: whether it was stated)."""
        if key in CHOICES:
            default: object = CHOICES[key].default
        else:
            default = PARAMETERS[key].default
        if key in FOLLOWERS:
            return not self.follows_diameter if key == "diameter_y" else self.origins.get(key) != _JULLIERE
        return getattr(self, key) != default or self.origins.get(key, _DEFAULT) != _DEFAULT

    def to_toml(self) -> str:
        """Write the card as TOML that `from_toml` reads back to an equal card; defaults are left out."""
        lines = [f"name = {_quote(self.name)}", f"title = {_quote(self.title)}", "", "[parameters]"]
        for key, parameter in PARAMETERS.items():
            if self.stated(key):
                lines.append(self._line(key, key, _quantity(getattr(self, key), parameter)))
        lines.extend(self._line(key, key, str(getattr(self, key))) for key in CHOICES if self.stated(key))
        if self.device_spread:
            lines += ["", f"[{SPREAD}]"]
            for key, deviation in self.device_spread.items():
                lines.append(self._line(key, f"{SPREAD}.{key}", _quantity(deviation, _SPREAD_PARAMETER)))
        return "\n".join(lines) + "\n"

    def _line(self, key: str, origin_key: str, value: str) -> str:
        origin = self.origins.get(origin_key, _UNSTATED)
        if origin in (_DEFAULT, _CIRCULAR):  # the value is neither, or there would be no line
            origin = _UNSTATED
        return (
            f"{key} = {{ value = {_quote(value)}, status = {_quote(origin.status)}, source = {_quote(origin.source)} }}"
        )


def _quantity(value: float, parameter: Parameter) -> str:
    return f"{float(value)!r}{'' if parameter.unit == '1' else f' {parameter.unit}'}"


def _outdated(origin: Origin, changed: list[str]) -> Origin:
    """Add to the origin of a computed K_i which of its inputs have changed since."""
    if not changed or not origin.source.startswith("from "):
        return origin
    source, separator, earlier = origin.source.rpartition("; then ")
    if separator and earlier.endswith(" changed"):
        before = earlier.removesuffix(" changed").split(", ")
        changed = before + [key for key in changed if key not in before]
    else:
        source = origin.source
    return Origin(origin.status, f"{source}; then {', '.join(changed)} changed")


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
        if key not in ("name", "title", "parameters", SPREAD):
            raise InputError(f"{where}: unknown entry {key!r}; allowed: name, title, parameters, {SPREAD}")
    entries = document.get("parameters")
    if not isinstance(entries, dict) or not isinstance(document.get("name"), str):
        raise InputError(f'{where}: a card needs name = "..." and a [parameters] table')
    known = {**PARAMETERS, **ANISOTROPY_ALTERNATIVES}
    values: dict[str, float] = {}
    words: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for key, entry in entries.items():
        if key in CHOICES:
            stated, origins[key] = _entry(f"{where}: {key}", entry)
            words[key] = _check_choice(where, key, stated)
            continue
        if key not in known:
            raise InputError(f"{where}: unknown parameter {key!r}; allowed: {', '.join((*known, *CHOICES))}")
        values[key], origins[key] = _number(where, key, entry, known[key])
    spread = _spread(where, document.get(SPREAD, {}), origins)
    _complete(where, values, origins)
    for key in CHOICES:
        origins.setdefault(key, _DEFAULT)
    return MTJCard(
        name=document["name"],
        title=str(document.get("title", "")),
        device_spread=spread,
        origins=origins,
        **(values | words),
    )


def _entry(where: str, entry: Any) -> tuple[Any, Origin]:
    """Split an inline table into its value, still as written, and its origin."""
    if not isinstance(entry, dict) or set(entry) != {"value", "status", "source"}:
        raise InputError(f'{where}: expected {{ value = "...", status = "...", source = "..." }}')
    if entry["status"] not in STATUSES:
        raise InputError(f"{where}: status {entry['status']!r} is not one of {', '.join(STATUSES)}")
    if not isinstance(entry["source"], str) or not entry["source"].strip():
        raise InputError(f"{where}: source must say where the value comes from")
    return entry["value"], Origin(entry["status"], entry["source"])


def _number(where: str, key: str, entry: Any, parameter: Parameter) -> tuple[float, Origin]:
    stated, origin = _entry(f"{where}: {key}", entry)
    return _check(where, key, units.parse(stated, parameter.unit, f"{where}: {key}"), parameter), origin


def _spread(where: str, table: Any, origins: dict[str, Origin]) -> dict[str, float]:
    """Read the table of device-to-device deviations."""
    if not isinstance(table, dict):
        raise InputError(f"{where}: {SPREAD} must be a table of relative standard deviations")
    spread = {}
    for key, entry in table.items():
        if key not in PARAMETERS:
            raise InputError(f"{where}: unknown parameter {SPREAD}.{key!r}; allowed: {', '.join(PARAMETERS)}")
        full = f"{SPREAD}.{key}"
        spread[key], origins[full] = _number(where, full, entry, _SPREAD_PARAMETER)
    return spread


def _complete(where: str, values: dict[str, float], origins: dict[str, Origin]) -> None:
    """Fill in defaults and turn the stated anisotropy into K_i."""
    stated = [key for key in ("interfacial_anisotropy", *ANISOTROPY_ALTERNATIVES) if key in values]
    if len(stated) != 1:
        raise InputError(
            f"{where}: give exactly one of interfacial_anisotropy, {', '.join(ANISOTROPY_ALTERNATIVES)}; "
            f"found {', '.join(stated) or 'none'}"
        )
    for key, parameter in PARAMETERS.items():
        if key in values or key == "interfacial_anisotropy" or key in FOLLOWERS:
            continue
        if parameter.default is None:
            raise InputError(f"{where}: required parameter {key!r} is missing")
        values[key] = parameter.default
        origins[key] = _DEFAULT
    if "spin_polarization" not in values:
        values["spin_polarization"] = _polarization(values["tmr"])
        origins["spin_polarization"] = _JULLIERE
    if "diameter_y" not in values:
        values["diameter_y"] = values["diameter"]
        origins["diameter_y"] = _CIRCULAR
    key = stated[0]
    if key != "interfacial_anisotropy":
        value, origin = values.pop(key), origins.pop(key)
        values["interfacial_anisotropy"] = _interfacial_anisotropy(key, value, values)
        origins["interfacial_anisotropy"] = Origin(
            origin.status, f"from {key} = {ANISOTROPY_ALTERNATIVES[key].show(value, 6)}: {origin.source}"
        )


def _interfacial_anisotropy(key: str, value: float, values: Mapping[str, float]) -> float:
    thickness, magnetization = values["free_layer_thickness"], values["saturation_magnetization"]
    area = demagnetization.ellipse_area(values["diameter"], values["diameter_y"])
    if key == "anisotropy_field":
        effective = value * magnetization * thickness / 2
    elif key == "thermal_stability_factor":
        effective = value * BOLTZMANN * ROOM_TEMPERATURE / area
    else:
        effective = value
    shape = demagnetization.shape_anisotropy(values["diameter"], thickness, magnetization, values["diameter_y"])
    return effective + thickness * shape


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
