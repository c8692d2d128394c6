"""Sources by name, as they are typed: ``pcg64``, ``lfsr:16``, ``emulated:meram100,lanes=16,spread=0.1``.

What follows the colon is the source's argument, then come settings ``name=value``; quantities take units.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

from mtjspice.bits.sources.base import Source
from mtjspice.bits.specifications import About, build, whole
from mtjspice.errors import InputError

_Lanes = Annotated[int, About("devices that take turns")]
_Volts = Annotated[float | None, About("amplitude of the pulse; by default V50", "V")]
_Width = Annotated[float | None, About("pulse width; by default half a precession, or 10 ns", "s")]
_Cycle = Annotated[str, About("reset: to P before each pulse; toggle: no reset")]
_Kelvin = Annotated[float, About("temperature", "K")]


def _emulated(
    card: str,
    seed: int,
    *,
    p: Annotated[float | None, About("probability of a one (reset cycle), in place of a card's")] = None,
    voltage: _Volts = None,
    pulse_width: _Width = None,
    cycle: _Cycle = "reset",
    temperature: _Kelvin = 300.0,
    lanes: _Lanes = 1,
    spread: Annotated[float, About("device-to-device spread of V50, logit")] = 0.0,
    toggle_spread: Annotated[float, About("spread of p01 and p10 together, logit")] = 0.0,
    walk: Annotated[float, About("random walk of V50, logit per sqrt(cycle)")] = 0.0,
    flicker: Annotated[float, About("1/f noise of V50, logit per decade")] = 0.0,
    slowest: Annotated[float, About("longest correlation time of the 1/f noise, cycles")] = 1e7,
    heating: Annotated[float, About("memory of past bits, logit")] = 0.0,
    memory: Annotated[float, About("how far that memory reaches, cycles")] = 10.0,
    stuck: Annotated[float, About("fraction of stuck devices")] = 0.0,
    interval: Annotated[int, About("cycles between slow changes, window of the feedback")] = 1000,
    feedback: Annotated[str | None, About("hold 50 %: device, row or global")] = None,
    gain: Annotated[float, About("gain of the feedback")] = 0.25,
    row: Annotated[int, About("devices in a row")] = 16,
    step: Annotated[float, About("resolution of the DAC, logit")] = 0.0,
    reach: Annotated[float, About("range of the DAC, logit; 0: unlimited")] = 0.0,
) -> Source:
    """Devices of a card as Markov chains (`fair` for P = 1/2), with spread, drift, memory, stuck cells, feedback."""
    import numpy as np

    from mtjspice.bits.sources import junctions
    from mtjspice.bits.sources.emulated import EmulatedSource, Feedback, Imperfections
    from mtjspice.device.chain import ChainModel

    control = None if feedback is None else Feedback(feedback, gain, row, step, reach)
    flaws = Imperfections(
        spread, toggle_spread, walk, flicker, slowest, heating, memory, stuck, control, interval
    )  # fmt: skip
    if card == "fair" or p is not None:
        if card != "fair":
            raise InputError("emulated: the setting p stands in place of a card; write emulated:fair,p=0.6")
        probability = 0.5 if p is None else p
        if not 0 <= probability <= 1:
            raise InputError(f"emulated: the probability p must lie between 0 and 1, not {probability:g}")
        model = ChainModel(np.array([probability]), np.array([1 - probability]))
        return EmulatedSource(model, seed, lanes, flaws, {"probability": probability})
    pulse = junctions.perturbation(card, voltage, pulse_width, cycle, temperature)
    return EmulatedSource(junctions.chain_model(pulse), seed, lanes, flaws, pulse.as_provenance())


def _macrospin(
    card: str,
    seed: int,
    *,
    voltage: _Volts = None,
    pulse_width: _Width = None,
    cycle: _Cycle = "reset",
    temperature: _Kelvin = 300.0,
    lanes: _Lanes = 1,
) -> Source:
    """Junctions of a card by the stochastic Landau-Lifshitz-Gilbert equation, without a circuit."""
    from mtjspice.bits.sources import junctions

    pulse = junctions.perturbation(card, voltage, pulse_width, cycle, temperature)
    return junctions.MacrospinSource(pulse, seed, lanes)


def _lfsr(
    length: int,
    seed: int,
    *,
    taps: Annotated[str | None, About("exponents of the polynomial, as 16.14.13.11; by default primitive")] = None,
    state: Annotated[str | None, About("first state, as 0xACE1; by default from the seed")] = None,
    form: Annotated[str, About("fibonacci or galois")] = "fibonacci",
) -> Source:
    """Linear feedback shift register of that many stages."""
    from mtjspice.bits.sources.lfsr import LfsrSource

    chosen = None if taps is None else [whole(part, "lfsr: taps") for part in taps.split(".")]
    return LfsrSource(
        length, seed, taps=chosen, state=None if state is None else whole(state, "lfsr: state"), form=form
    )


def _lcg(
    name: str,
    seed: int,
    *,
    multiplier: Annotated[int | None, About("of lcg:custom")] = None,
    increment: Annotated[int, About("of lcg:custom")] = 0,
    modulus: Annotated[int | None, About("of lcg:custom, up to 2^32, or 2^64")] = None,
    shift: Annotated[int, About("of lcg:custom: lowest bit of the state that is given out")] = 0,
    width: Annotated[int | None, About("of lcg:custom: number of bits that are given out; by default all")] = None,
) -> Source:
    """Linear congruential generator: ansi-c, ansi-c-low (low byte), randu, minstd, mmix, or custom."""
    from mtjspice.bits.sources.generators import Congruence, CongruentialSource

    if name != "custom":
        if multiplier is not None or modulus is not None:
            raise InputError(f"lcg:{name} has its constants; lcg:custom takes others")
        return CongruentialSource(name, seed)
    if multiplier is None or modulus is None:
        raise InputError("lcg:custom needs a multiplier and a modulus, as lcg:custom,multiplier=5,modulus=256")
    top = (modulus - 1).bit_length() - shift
    return CongruentialSource(Congruence(multiplier, increment, modulus, shift, top if width is None else width), seed)


def _numpy(name: str) -> Callable[..., Source]:
    def build(seed: int) -> Source:
        from mtjspice.bits.sources.generators import NumpySource

        return NumpySource(name, seed)

    build.__doc__ = f"NumPy's {name.upper()}."
    return build


def _cipher(name: str, title: str) -> Callable[..., Source]:
    def build(seed: int) -> Source:
        from mtjspice.bits.sources.generators import CipherSource

        return CipherSource(name, seed)

    build.__doc__ = f"Key stream of {title}."
    return build


def _system(seed: int) -> Source:
    """The operating system's generator; has no seed."""
    from mtjspice.bits.sources.generators import SystemSource

    return SystemSource()


def _file(
    path: str, seed: int, *, format: Annotated[str | None, About("binary, ascii or npz; by default found out")] = None
) -> Source:
    """Bits of a file, once."""
    from mtjspice.bits import files
    from mtjspice.bits.sources.generators import StreamSource

    return StreamSource(files.read(Path(path), format))


KINDS: Mapping[str, Callable[..., Source]] = {
    "emulated": _emulated,
    "macrospin": _macrospin,
    "lfsr": _lfsr,
    "lcg": _lcg,
    **{name: _numpy(name) for name in ("pcg64", "philox", "sfc64", "mt19937")},
    "aes-ctr": _cipher("aes-ctr", "AES-256 in counter mode"),
    "chacha20": _cipher("chacha20", "ChaCha20"),
    "os": _system,
    "file": _file,
}
"""Builders by name: the argument if there is one, ``seed``, then settings as keyword arguments."""


def open_source(text: str, seed: int, kinds: Mapping[str, Callable[..., Source]] = KINDS) -> Source:
    """The source that ``text`` names; ``kinds`` may know more of them. InputError where it names none."""
    return build(text, kinds, "source", seed=seed)
