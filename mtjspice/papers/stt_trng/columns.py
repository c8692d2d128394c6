"""Columns of figures, filled row by row."""

from collections.abc import Sequence

Lists = dict[str, list[float | str]]


def empty(names: Sequence[str]) -> Lists:
    """Columns without rows."""
    return {name: [] for name in names}


def add(columns: Lists, *row: float | str) -> None:
    """Add a row, in the order of the columns; ValueError if it has another length."""
    for column, value in zip(columns.values(), row, strict=True):
        column.append(value if isinstance(value, str) else float(value))
