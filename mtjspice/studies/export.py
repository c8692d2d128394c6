"""Results of a study as files for other programs: NetCDF, CSV and Parquet.

CSV and Parquet have one row for each point, the last dimension fastest, and are written block by block: the dataset may
be larger than memory. NetCDF is the classic format, as everywhere in this package, which is made in memory.
"""

import csv
import importlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError, choose
from mtjspice.files import netcdf_attribute
from mtjspice.studies.store import MISSING

if TYPE_CHECKING:
    import xarray

FORMS = (".csv", ".nc", ".parquet")
_ROWS = 65_536


def export(data: "xarray.Dataset", path: Path) -> None:
    """Write a dataset of ``lazy.open_dataset`` to a file of the form that its suffix says: .nc, .csv or .parquet.

    The file appears whole or not at all. In CSV the header has the units, such as ``voltage [V]``; what is not there (a
    result that is NaN, the seed of a missing point) is an empty cell, and null in Parquet, where each column has its
    unit in its metadata and the file has the dataset's attributes as JSON. NetCDF has whole numbers beyond 2^31 as
    float64. InputError for another suffix, for a file that cannot be written, for names that NetCDF cannot have, and
    for Parquet without pyarrow.
    """
    form = choose("form of results", path.suffix.lower(), FORMS)
    write = {".csv": _write_csv, ".nc": _write_netcdf, ".parquet": _write_parquet}[form]
    with _replacing(path) as temporary:
        write(data, temporary)


@dataclass(frozen=True)
class _Column:
    """A column of a block: (rows,) values, and which of them are not there."""

    name: str
    unit: str
    values: NDArray[Any]
    absent: NDArray[np.bool_]


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a new file beside ``path`` that takes its place at the end, or disappears if there is an error."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.touch(exist_ok=False)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        if temporary.exists():
            temporary.unlink()


def _write_netcdf(data: "xarray.Dataset", path: Path) -> None:
    attributes = {str(name): netcdf_attribute(value) for name, value in data.attrs.items()}
    data = data.compute()
    large = {
        name: one.astype(np.float64)
        for name, one in data.variables.items()
        if one.dtype.kind in "iu" and np.any(np.abs(one.values) >= 2**31)
    }
    try:
        data.assign(large).assign_attrs(attributes).to_netcdf(path, engine="scipy", format="NETCDF3_64BIT")
    except ValueError as error:
        raise InputError(f"NetCDF cannot have these results: {error}") from None


def _write_csv(data: "xarray.Dataset", path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        for k, columns in enumerate(_blocks(data)):
            if k == 0:
                writer.writerow([f"{one.name} [{one.unit}]" if one.unit else one.name for one in columns])
            cells = [
                [
                    "" if absent else value
                    for value, absent in zip(one.values.tolist(), one.absent.tolist(), strict=True)
                ]
                for one in columns
            ]
            writer.writerows(zip(*cells, strict=True))


def _write_parquet(data: "xarray.Dataset", path: Path) -> None:
    try:
        arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise InputError("Parquet needs pyarrow: pip install 'mtjspice[parquet]'") from None
    about = {"mtjspice": json.dumps(data.attrs, default=str)}
    writer: Any = None
    try:
        for columns in _blocks(data):
            arrays = [arrow.array(one.values, mask=one.absent) for one in columns]
            fields = [
                arrow.field(one.name, array.type, metadata={"units": one.unit} if one.unit else None)
                for one, array in zip(columns, arrays, strict=True)
            ]
            schema = arrow.schema(fields, metadata=about)
            if writer is None:
                writer = parquet.ParquetWriter(path, schema)
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
    finally:
        if writer is not None:
            writer.close()


def _blocks(data: "xarray.Dataset") -> Iterator[list[_Column]]:
    """The dataset as a table, some ten thousand rows at a time: dimensions, coordinates, status, seed, results."""
    dimensions = list(data.sizes)
    sizes = [data.sizes[name] for name in dimensions]
    first = [name for name in ("status", "seed") if name in data]
    names = [
        *dimensions, *(name for name in data.coords if name not in dimensions), *first,
        *(name for name in data.data_vars if name not in first),
    ]  # fmt: skip
    for part in _parts(sizes):
        block = data.isel(dict(zip(dimensions, part, strict=True))).load()
        shape = [block.sizes[name] for name in dimensions]
        missing = np.zeros(prod(shape), bool)
        columns = []
        for name in names:
            if name in block.variables:
                variable = block.variables[name]
                own, values, unit = variable.dims, variable.values, str(variable.attrs.get("units", ""))
            else:  # a dimension without values: numbers from 0
                index = part[dimensions.index(name)]
                own, values, unit = (name,), np.arange(index.start, index.stop), ""
            values = values.transpose([own.index(one) for one in dimensions if one in own])
            widths = [size if one in own else 1 for one, size in zip(dimensions, shape, strict=True)]
            values = np.broadcast_to(values.reshape(widths), shape).ravel()
            if name == "status":
                missing = values == MISSING
            absent = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.size, bool)
            columns.append(_Column(str(name), unit, values, missing if name == "seed" else absent))
        yield columns


def _parts(sizes: list[int]) -> Iterator[tuple[slice, ...]]:
    """Cut an array into parts of at most ``_ROWS`` elements that follow each other in memory."""
    axis = next((k for k in range(len(sizes)) if prod(sizes[k + 1 :]) <= _ROWS), 0)
    if not sizes:
        yield ()
        return
    step = max(1, _ROWS // prod(sizes[axis + 1 :]))
    for lead in np.ndindex(*sizes[:axis]):
        for start in range(0, sizes[axis], step):
            yield (
                *(slice(k, k + 1) for k in lead), slice(start, min(start + step, sizes[axis])),
                *(slice(0, size) for size in sizes[axis + 1 :]),
            )  # fmt: skip
