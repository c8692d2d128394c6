"""Circuits as sources of bits: the random-number generators of the library, co-simulated transient after transient."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from mtjspice import __version__
from mtjspice.bits.sources import catalogue
from mtjspice.bits.sources.base import CycleSource, Source, check_seed
from mtjspice.bits.specifications import About
from mtjspice.circuits import catalogue as circuits
from mtjspice.circuits.benches import trng
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.errors import InputError
from mtjspice.studies import seeds

CYCLES = 16
"""Cycles in one transient by default."""

_NAME = re.compile(r"(stt_trng|vcma_trng|meram_word)([1-9][0-9]*)")
_FAMILIES = MappingProxyType(
    {
        "stt_trng": ("stt_trng16", "channels"),
        "vcma_trng": ("vcma_trng4", "bits"),
        "meram_word": ("vcma_trng4", "bits"),
    }
)


def generator_bench(
    name: str,
    *,
    card: str | None = None,
    technology: str = "gf180mcu",
    corner: str = "",
    temperature: float = ROOM_TEMPERATURE,
    mismatch_seed: int | None = None,
    cycles: int = CYCLES,
    values: Mapping[str, str | float] = MappingProxyType({}),
) -> trng.TrngCycles:
    """The bench of a generator: stt_trngN, vcma_trngN, or meram_wordN, a word with the two pulses of vcma_trng.

    ``values`` are parameters as `mtjspice.circuits.catalogue.bench` takes them. InputError for anything unknown.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise InputError(
            f"{name!r} is not a random-number generator of the library; available: stt_trngN, vcma_trngN and "
            "meram_wordN, N being the number of bits"
        )
    entry, size = _FAMILIES[match[1]]
    found = circuits.bench(
        entry, technology=technology, card=card, corner=corner, temperature=temperature, mismatch_seed=mismatch_seed,
        values={size: match[2], f"{circuits.BENCH}cycles": cycles, **values},
    )  # fmt: skip
    assert isinstance(found, trng.TrngCycles)
    return found


class CircuitSource(CycleSource):
    """The data outputs of a generator, cycle after cycle; its lanes are its channels.

    Each transient of ``bench.cycles`` cycles has thermal noise of its own and begins with the magnetizations that the
    last one left. SimulatorError where the simulator fails.
    """

    origin = "co-simulated"

    def __init__(self, bench: trng.TrngCycles, seed: int) -> None:
        self.bench, self._seed = bench, check_seed(seed)
        self.lanes = bench.channels
        self._transients = 0
        self._magnetization: NDArray[np.float64] | None = None
        self._ready = np.empty((0, self.lanes), np.uint8)
        self.provenance = {
            "source": f"circuit:{bench.circuit.name}", "card": bench.circuit.card.name, "seed": seed,
            "technology": bench.technology.name, "corner": bench.corner, "temperature": bench.temperature,
            "cycles_per_transient": bench.cycles, "mtjspice": __version__,
        }  # fmt: skip
        if bench.mismatch_seed is not None:
            self.provenance["mismatch_seed"] = bench.mismatch_seed

    def cycles(self, count: int) -> NDArray[np.uint8]:
        """The next ``count`` cycles, shape (count, channels); whole transients are simulated."""
        parts = [self._ready]
        while sum(len(part) for part in parts) < count:
            parts.append(self._transient())
        found = np.concatenate(parts)
        self._ready = found[count:]
        return found[:count]

    def _transient(self) -> NDArray[np.uint8]:
        noise = seeds.word(self._seed, seeds.CIRCUIT_NOISE, self._transients)
        found = trng.generate(self.bench, noise, initial=self._magnetization)
        self._transients += 1
        self._magnetization = found.magnetization
        return found.bits


def _circuit(
    name: str,
    seed: int,
    *,
    card: Annotated[str | None, About("card of the junctions")] = None,
    technology: Annotated[str, About("CMOS technology")] = "gf180mcu",
    corner: Annotated[str, About("process corner")] = "",
    temperature: Annotated[float, About("temperature", "K")] = 300.0,
    mismatch_seed: Annotated[int | None, About("draw the transistors' mismatch")] = None,
    cycles: Annotated[int, About("cycles in one transient")] = CYCLES,
    set: Annotated[str, About("parameters, as bench.amplitude=0.3;reset_width=9ns")] = "",
) -> Source:
    """A generator of the library, co-simulated: stt_trngN, vcma_trngN or meram_wordN with N bits."""
    values = {}
    for one in filter(None, set.split(";")):
        key, equals, value = one.partition("=")
        if not equals:
            raise InputError(f"circuit: {one!r} is not a parameter; expected NAME=VALUE, several with ; between")
        values[key.strip()] = value
    bench = generator_bench(
        name, card=card, technology=technology, corner=corner, temperature=temperature, mismatch_seed=mismatch_seed,
        cycles=cycles, values=values,
    )  # fmt: skip
    return CircuitSource(bench, seed)


KINDS: Mapping[str, Callable[..., Source]] = MappingProxyType({"circuit": _circuit, **catalogue.KINDS})
"""All sources, circuits among them."""
