"""The pulses that a circuit must apply to a card's junctions to make them give noise words.

Every programmed probability becomes a pulse voltage at a fixed width, or a width at a fixed voltage, by inverting the
switching probability on its first branch. Bits that shall be one with more than 1/2 are programmed with the complement
and read inverted, so that the rising half of the branch suffices. P is 0, AP is 1; programmed words are reset to P
before each pulse, cells that toggle before each word.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.device.card import MTJCard, load_card
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.errors import InputError
from mtjspice.generative.cells import programmed_law
from mtjspice.generative.encodings.catalogue import encoding_of
from mtjspice.generative.encodings.programmed import ProgrammedWords, TreeWords
from mtjspice.generative.encodings.switching_curve import SwitchingCurve, computed
from mtjspice.generative.encodings.toggled import ToggleWords
from mtjspice.generative.law import Law, product_pmf, transient_bits

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Timing:
    """What surrounds a pulse: ``reset`` of all cells, ``read`` of all cells, and the ``gap`` behind a pulse; s."""

    reset: float = 10e-9
    read: float = 5e-9
    gap: float = 1e-9

    def __post_init__(self) -> None:
        if not all(0 <= value < 1 for value in (self.reset, self.read, self.gap)):
            raise InputError("the times around a pulse must lie between 0 and 1 s")


@dataclass(frozen=True)
class Pulse:
    """The pulse of cell ``bit`` (0 is the highest) after the bits ``prefix`` (-1: whatever they are).

    ``probability`` is what the encoding wants of the bit. ``value`` is the pulse's voltage (V) or width (s); a pulse of
    0 is none. It switches P to AP with ``rising`` and AP to P with ``falling`` (None where nothing is in AP).
    ``inverted``: a switched cell is read as 0.
    """

    bit: int
    prefix: int
    probability: float
    value: float
    rising: float
    falling: float | None = None
    inverted: bool = False

    @property
    def achieved(self) -> float:
        """Probability of the bit that the pulse gives."""
        return 1 - self.rising if self.inverted else self.rising


@dataclass(frozen=True)
class PulseProgram:
    """All ``pulses`` of words of an ``encoding`` for a ``card``, ``by`` "voltage" or "width", the other one ``fixed``.

    ``step`` is the resolution of the voltage or width (0: ideal); ``interpolation_error`` bounds the error of the
    probabilities for that the curve was computed at a grid of points.
    """

    card: str
    encoding: str
    by: str
    fixed: float
    step: float
    interpolation_error: float
    pulses: tuple[Pulse, ...]
    timing: Timing = field(default_factory=Timing)

    @property
    def repetitions(self) -> int:
        """Pulses that each cell gets for a word."""
        words = encoding_of(self.encoding)
        return words.pulses if isinstance(words, ToggleWords) else 1

    @property
    def pulses_per_number(self) -> int:
        """Write pulses of all cells for one number, resets not counted."""
        return self.repetitions * _words(self.encoding).bits

    @property
    def time_per_number(self) -> float:
        """Seconds from one word to the next; cells of a word work in parallel, bits of a tree one after the other."""
        words = _words(self.encoding)
        longest = self.fixed if self.by == "voltage" else max(pulse.value for pulse in self.pulses)
        slots = words.bits if isinstance(words, TreeWords) else self.repetitions
        rounds = words.bits if isinstance(words, TreeWords) else 1  # each is read before the next is programmed
        resets = 1 if not isinstance(words, ToggleWords) or words.reset else 0
        return slots * (longest + self.timing.gap) + rounds * self.timing.read + resets * self.timing.reset

    def law(self) -> Law:
        """Exact law of the numbers that these pulses give, cells otherwise perfect."""
        words = _words(self.encoding)
        if isinstance(words, ToggleWords):
            rising = np.array([pulse.rising for pulse in self.pulses])
            falling = np.array([pulse.rising if pulse.falling is None else pulse.falling for pulse in self.pulses])
            count = words.pulses if words.reset else 1_000_000_000  # without a reset: stationary
            return Law.of(words.values(), product_pmf(transient_bits(rising, falling, count)))
        table = np.array([pulse.achieved for pulse in self.pulses])
        return Law.of(words.values(), programmed_law(table, words.bits).probabilities)

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON, with figures of merit of the predicted law and of the encoding's."""
        wanted = encoding_of(self.encoding).law()
        return {
            **asdict(self),
            "pulses": [asdict(pulse) for pulse in self.pulses],
            "pulses_per_number": self.pulses_per_number,
            "time_per_number": self.time_per_number,
            "predicted_law": self.law().as_dict(),
            "encoding_law": None if wanted is None else wanted.as_dict(),
        }

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> "PulseProgram":
        """What `as_dict` wrote; InputError where that is not a pulse program."""
        try:
            return cls(
                **{key: found[key] for key in ("card", "encoding", "by", "fixed", "step", "interpolation_error")},
                pulses=tuple(Pulse(**pulse) for pulse in found["pulses"]),
                timing=Timing(**found["timing"]),
            )
        except (KeyError, TypeError) as error:
            raise InputError(f"not a pulse program: {error}") from None


def pulse_program(
    card: MTJCard | str, encoding: str, by: str = "voltage", *, pulse_width: float | None = None,
    voltage: float | None = None, step: float = 0.0, timing: Timing | None = None,
    temperature: float = ROOM_TEMPERATURE, curve: SwitchingCurve | None = None,
) -> PulseProgram:  # fmt: skip
    """Pulses for an ``encoding`` (``product:8``, ``tree:8``, ``toggle:8,pulses=16``) on a card's junctions.

    ``by`` says what distinguishes probabilities; ``step`` rounds it (V or s: the DAC, the clock). ``curve`` is one that
    was computed before (`switching_curve.computed` with both directions for toggling), in place of ``pulse_width``,
    ``voltage`` and ``temperature``. InputError for encodings without programmed cells or with imperfect ones, for
    toggling without VCMA, whose pulses alone switch either way, and for probabilities that no pulse gives.
    """
    device = load_card(card) if isinstance(card, str) else card
    words = _words(encoding)
    toggles = isinstance(words, ToggleWords)
    if words.ideal() != words:
        raise InputError(f"{encoding!r}: a pulse program is made for perfect cells; leave their imperfections out")
    if isinstance(words, ToggleWords):
        if words.rate is not None:
            raise InputError("toggling at a rate needs pulses that tell P from AP; one pulse for both has none")
        if device.vcma_coefficient == 0:
            raise InputError(f"card {device.name}: pulses of spin torque switch one way only; toggling needs VCMA")
    if not (0 <= step < np.inf):
        raise InputError(f"the step of a voltage or width must be 0 or more, not {step:g}")
    used = curve or computed(
        device, by, pulse_width=pulse_width, voltage=voltage, both=toggles, temperature=temperature
    )  # fmt: skip
    wanted = words.probabilities()[0] if isinstance(words, ToggleWords) else words.table()
    if toggles and np.isnan(used.falling).any():
        raise InputError("toggling needs a switching curve of both directions")
    inverted = wanted > 0.5
    values = used.invert(np.where(inverted, 1 - wanted, wanted))
    if step:
        values = step * np.rint(values / step)
    rising, falling = used.probabilities(values)
    tree = isinstance(words, TreeWords)
    pulses = tuple(
        Pulse(
            *_place(k, tree), float(wanted[k]), float(values[k]), float(rising[k]),
            float(falling[k]) if toggles else None, bool(inverted[k]),
        )
        for k in range(wanted.size)
    )  # fmt: skip
    return PulseProgram(
        device.name, encoding, used.axis, used.fixed, step, used.error(), pulses, timing or Timing()
    )  # fmt: skip


def _words(text: str) -> ProgrammedWords | ToggleWords:
    found = encoding_of(text)
    if not isinstance(found, ProgrammedWords | ToggleWords):
        raise InputError(f"{text!r} has no programmed cells; product, tree and toggle have")
    return found


def _place(node: int, tree: bool) -> tuple[int, int]:
    """Bit and prefix of an entry of the table."""
    if not tree:
        return node, -1
    bit = (node + 1).bit_length() - 1
    return bit, node + 1 - 2**bit
