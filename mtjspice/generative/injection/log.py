"""What has been drawn: one entry per random operation."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Draw:
    """A random operation that was served.

    ``operation``: torch's name with the overload; ``shape``: of what it gave; ``numbers``: basic random numbers that
    were asked for (uniform, normal ... ; gamma and the like count once per result); ``bits``: taken from the stream
    of bits; ``generator``: whether the caller passed a torch.Generator, which was ignored.
    """

    operation: str
    shape: tuple[int, ...]
    numbers: int
    bits: int
    generator: bool = False


def per_operation(draws: Iterable[Draw]) -> dict[str, int]:
    """Numbers drawn by each operation."""
    total: Counter[str] = Counter()
    for draw in draws:
        total[draw.operation] += draw.numbers
    return dict(total)
