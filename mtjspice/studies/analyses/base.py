"""What every analysis is: it says whether it fits a study, and turns the study's dataset into tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mtjspice.errors import InputError
from mtjspice.studies.study import Study

if TYPE_CHECKING:
    import xarray

Cell = float | int | str


@dataclass(frozen=True)
class Column:
    """One column of a table: its name, its unit (SI; empty for names and counts) and its values."""

    name: str
    unit: str
    values: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """A table of numbers in SI units; NaN stands for what could not be found. ``notes`` are lines for its reader."""

    title: str
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len({len(column.values) for column in self.columns}) > 1:
            raise ValueError(f"the columns of {self.title!r} have different lengths")

    def rows(self) -> list[tuple[Cell, ...]]:
        """Return the rows."""
        return list(zip(*(column.values for column in self.columns), strict=True))

    def as_dict(self) -> dict[str, Any]:
        """For JSON: rows as objects, None for NaN."""
        names = [column.name for column in self.columns]
        return {
            "title": self.title,
            "units": {column.name: column.unit for column in self.columns if column.unit},
            "rows": [dict(zip(names, map(_plain, row), strict=True)) for row in self.rows()],
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Analysis:
    """An analysis by name.

    ``check`` raises InputError for a study that it does not fit (a dimension or an option that is missing or unknown);
    ``tables`` takes the dataset and the study. ``options`` are those that it knows, each with one line about it.
    """

    name: str
    about: str
    check: Callable[[Study], None]
    tables: Callable[["xarray.Dataset", Study], tuple[Table, ...]]
    options: Mapping[str, str]

    def check_options(self, study: Study) -> None:
        """Refuse options that the analysis does not know."""
        for name in study.options:
            if name not in self.options:
                raise InputError(
                    f"analysis {self.name!r} has no option {name!r}; available: {', '.join(self.options) or 'none'}"
                )


def table(title: str, rows: Sequence[Mapping[str, Cell]], units: Mapping[str, str], notes: Sequence[str] = ()) -> Table:
    """Make a table of rows that all have the same names."""
    names = list(rows[0]) if rows else []
    columns = tuple(Column(name, units.get(name, ""), tuple(row[name] for row in rows)) for name in names)
    return Table(title, columns, tuple(notes))


def _plain(cell: Cell) -> Cell | None:
    return None if isinstance(cell, float) and cell != cell else cell
