"""Tables of analyses as text for a terminal."""

from mtjspice import units
from mtjspice.studies.analyses.base import Cell, Table


def as_text(table: Table) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return header and rows, numbers with prefixes of their units; "-" for what could not be found."""
    header = tuple(column.name for column in table.columns)
    kinds = [column.unit for column in table.columns]
    return header, [tuple(_cell(cell, unit) for cell, unit in zip(row, kinds, strict=True)) for row in table.rows()]


def _cell(cell: Cell, unit: str) -> str:
    if isinstance(cell, str):
        return cell
    if cell != cell:
        return "-"
    if isinstance(cell, int):
        return str(cell)
    if unit == "K":
        return f"{cell:.5g} K"
    if unit.startswith("1/"):
        return _per(cell, unit.removeprefix("1/"))
    return units.engineering(cell, "" if unit == "1" else unit) if unit else f"{cell:.4g}"


def _per(value: float, unit: str) -> str:
    """A slope: 2.7e9 1/s is "2.7 1/ns"."""
    prefixes = ("",) if unit in ("", "1", "K") else ("", "m", "µ", "n", "p", "f")
    power = next((k for k in range(len(prefixes)) if abs(value) < 1000 ** (k + 1)), len(prefixes) - 1)
    return f"{value / 1000**power:.4g} 1/{prefixes[power]}{unit}"
