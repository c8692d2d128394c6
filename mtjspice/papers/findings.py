"""What a paper claims, what was found here, and how the two compare."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from math import isfinite
from typing import Any

from mtjspice.statistics import Proportion
from mtjspice.units import engineering


class Origin(StrEnum):
    """How a claim reached us: not every text could be read."""

    TEXT = "text"  # of the paper or its abstract
    SUMMARY = "summary"  # somebody else's summary or notes
    DERIVED = "derived"  # follows from what the paper says, by arithmetic


class Status(StrEnum):
    """How a finding compares with its claim."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NOT_COMPARABLE = "not comparable"
    LEFT_OPEN = "left open"  # the paper says nothing; the answer is ours


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a paper says: ``text`` as a reader should see it, ``place`` in the paper, ``value`` (SI) if it is a number.

    ``low`` and ``high`` are limits that the paper itself, or its rounding, leaves.
    """

    text: str
    place: str
    origin: Origin
    value: float | None = None
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None):
            raise ValueError(f"claim {self.text!r}: give both limits or none")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"claim {self.text!r}: the limits {self.low} and {self.high} are the wrong way round")

    @property
    def limits(self) -> tuple[float, float] | None:
        """From where to where the claim reaches; None for words without a number."""
        if self.low is not None and self.high is not None:
            return self.low, self.high
        return None if self.value is None else (self.value, self.value)


@dataclass(frozen=True, kw_only=True)
class Value:
    """A number of ours, SI, with its limits; ``kind`` says what they are ("95 %", "range of 5 seeds", "error bound").

    ``unit`` "%" shows a fraction as per cent.
    """

    value: float
    unit: str = ""
    low: float | None = None
    high: float | None = None
    kind: str = ""
    digits: int = 3

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None) or (self.low is not None) != bool(self.kind):
            raise ValueError("limits come in pairs, with the kind of limits that they are")

    @property
    def limits(self) -> tuple[float, float]:
        """The limits, or the value itself twice."""
        if self.low is None or self.high is None:
            return self.value, self.value
        return self.low, self.high

    def shown(self) -> str:
        """The number as text, limits behind it."""
        if self.low is None or self.high is None:
            return self._text(self.value)
        return f"{self._text(self.value)} ({self.kind}: {self._text(self.low)} to {self._text(self.high)})"

    def _text(self, number: float) -> str:
        if self.unit == "%":
            return f"{number * 100:.{self.digits}g} %"
        return engineering(number, self.unit, self.digits)


def counted(found: Proportion, digits: int = 3) -> Value:
    """A counted proportion with its Wilson interval."""
    return Value(
        value=found.value, low=found.low, high=found.high, kind=f"{found.confidence:.0%}".replace("%", " %"),
        digits=digits,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of a comparison; ``reason`` says why it agrees, differs, cannot be compared, or was asked.

    ``assumed`` names what the number rests on that no paper says.
    """

    key: str
    quantity: str
    ours: Value | str
    status: Status
    reason: str
    paper: Claim | None = None
    assumed: str = ""

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError(f"finding {self.key}: say why it is {self.status}")
        if (self.paper is None) != (self.status is Status.LEFT_OPEN):
            raise ValueError(f"finding {self.key}: what a paper claims is compared, all else was left open")
        numbers = () if isinstance(self.ours, str) else (self.ours.value, *self.ours.limits)
        if not all(map(isfinite, numbers)):
            raise ValueError(f"finding {self.key}: {self.ours} is no finite number")

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return asdict(self)


def judge(claim: Claim, ours: Value, *, within: float = 0.0) -> Status:
    """Compare a number with the claim: it agrees where their limits overlap, ours widened by ``within`` of the claim.

    ValueError for a claim without a number.
    """
    limits = claim.limits
    if limits is None:
        raise ValueError(f"claim {claim.text!r} has no number to compare with")
    low, high = ours.limits
    margin = within * max(map(abs, limits))
    return Status.AGREES if low - margin <= limits[1] and limits[0] <= high + margin else Status.DIFFERS


def finding_of(stored: dict[str, Any]) -> Finding:
    """Read back what `Finding.as_dict` gave, through JSON or not."""
    paper, ours = stored["paper"], stored["ours"]
    return Finding(
        **{
            **stored,
            "status": Status(stored["status"]),
            "paper": paper and Claim(**{**paper, "origin": Origin(paper["origin"])}),
            "ours": ours if isinstance(ours, str) else Value(**ours),
        }
    )
