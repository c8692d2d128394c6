"""Things named in one line of text: ``name:argument,setting=value,...``, with help made from their builders.

A builder is a function whose first parameter is the argument (if it takes one) and whose keyword-only parameters are
the settings, `Annotated` with `About`; what else it needs (a seed) the caller passes by name.
"""

import inspect
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from mtjspice import sweeps
from mtjspice.errors import InputError, choose

_Built = TypeVar("_Built")


@dataclass(frozen=True)
class About:
    """What the help says of a setting, and the unit in which a number is read (1: none)."""

    text: str
    unit: str = "1"


@dataclass(frozen=True)
class Description:
    """How a thing is written, what it is, and its settings: (name=default, what it is)."""

    usage: str
    text: str
    settings: tuple[tuple[str, str], ...]


def build(text: str, kinds: Mapping[str, Callable[..., _Built]], what: str, **context: Any) -> _Built:
    """Build what ``text`` names; ``context`` is passed on to builders that take it.

    InputError, speaking of a ``what``, for an unknown name, a missing argument, or a setting that is none.
    """
    head, *settings = text.split(",")
    name, _, argument = head.partition(":")
    builder = kinds[choose(what, name, kinds)]
    parameters = inspect.signature(builder).parameters
    hints = get_type_hints(builder, include_extras=True)
    values = {key: value for key, value in context.items() if key in parameters}
    takes = _argument(builder, context)
    if (argument and takes is None) or (not argument and takes is not None and takes.default is takes.empty):
        usage = name if takes is None else f"{name}:{takes.name.upper()}"
        raise InputError(f"{what} {text!r}: expected {usage}, perhaps with settings as ,name=value")
    if argument and takes is not None:
        values[takes.name] = _value(argument, hints[takes.name], f"{name}: {takes.name}")
    allowed = _settings(builder, context)
    for setting in settings:
        key, equals, value = setting.partition("=")
        key = key.strip().replace("-", "_")
        if not equals or not allowed:
            expected = "expected name=value" if allowed else "it takes no settings"
            raise InputError(f"{what} {name}: {setting!r} is not a setting; {expected}")
        choose(f"setting of the {what} {name}", key, allowed)
        if key in values:
            raise InputError(f"{what} {name}: the setting {key} is given twice")
        values[key] = _value(value, hints[key], f"{name}: {key}")
    return builder(**values)


def describe(kinds: Mapping[str, Callable[..., Any]], *context: str) -> list[Description]:
    """What there is; ``context`` names what the caller passes."""
    found = []
    for name, builder in kinds.items():
        hints = get_type_hints(builder, include_extras=True)
        takes = _argument(builder, context)
        settings = []
        for key, one in _settings(builder, context).items():
            about = _about(hints[key])
            default = "" if one.default is None else one.default
            value = f"{default:g}" if isinstance(default, float) else f"{default}"
            settings.append((f"{key}={value}", about.text + ("" if about.unit == "1" else f" ({about.unit})")))
        usage = name
        if takes is not None:
            usage += f":{takes.name.upper()}" if takes.default is takes.empty else f"[:{takes.name.upper()}]"
        found.append(Description(usage, (builder.__doc__ or "").strip().split("\n")[0], tuple(settings)))
    return found


def _argument(builder: Callable[..., Any], context: Container[str]) -> inspect.Parameter | None:
    first = next(iter(inspect.signature(builder).parameters.values()), None)
    positional = first is not None and first.kind is not inspect.Parameter.KEYWORD_ONLY
    return first if first is not None and positional and first.name not in context else None


def _settings(builder: Callable[..., Any], context: Container[str]) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(builder).parameters.values()
    return {one.name: one for one in parameters if one.kind is one.KEYWORD_ONLY and one.name not in context}


def _about(hint: Any) -> About:
    return next((extra for extra in get_args(hint)[1:] if isinstance(extra, About)), About(""))


def _value(text: str, hint: Any, where: str) -> Any:
    kind = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    kinds = get_args(kind) or (kind,)
    if str in kinds:
        return text
    if int in kinds:
        return whole(text, where)
    return sweeps.quantity(text, _about(hint).unit, where)


def whole(text: str, where: str) -> int:
    """Read a whole number: 16, 0xACE1, 1e6; InputError naming ``where`` for anything else."""
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        number = 0.5
    if not number.is_integer():
        raise InputError(f"{where}: {text!r} is not a whole number")
    return int(number)
