"""Parameters of networks from files that hold arrays and nothing else: no code of a file is ever run."""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice import resources
from mtjspice.errors import InputError

Arrays = dict[str, NDArray[Any]]
ABOUT = "about"
"""Entry of a shipped file that says, as JSON, what the network was trained on, by which script, seed and versions."""


def shipped(name: str) -> Arrays:
    """Arrays of a network that comes with mtjspice (``models/networks``), without what it tells of itself."""
    with resources.as_path(f"models/networks/{name}.npz") as path:
        arrays = load_arrays(path)
    arrays.pop(ABOUT, None)
    return arrays


def shipped_about(name: str) -> str:
    """What a network that comes with mtjspice tells of itself, JSON."""
    with resources.as_path(f"models/networks/{name}.npz") as path:
        return str(load_arrays(path)[ABOUT])


def load_arrays(path: Path) -> Arrays:
    """Arrays of an ``.npz`` file by name; InputError for anything else, pickled objects among it."""
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError
        with file:
            return {name: file[name] for name in file.files}
    except OSError as error:
        if error.errno is None:
            raise InputError(f"{path} is not a .npz file of arrays") from None
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, EOFError, zipfile.BadZipFile):
        raise InputError(f"{path} is not a .npz file of arrays") from None


def numpy_pickle(path: Path) -> Any:
    """The content of a pickle that is made of NumPy arrays and plain Python values.

    InputError where it asks for anything else, naming it: a pickle can run any code, and this one must not.
    """
    try:
        with path.open("rb") as file:
            return _ArraysOnly(file, encoding="latin1").load()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except _RefusedError as refused:
        raise InputError(f"{path} is not a pickle of arrays alone: it asks for {refused}") from None
    except Exception:  # a broken pickle can raise nearly anything
        raise InputError(f"{path} is not a pickle of arrays") from None


def checked(arrays: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int, ...]], where: str) -> None:
    """InputError that names the first array which is missing, of the wrong shape or not finite."""
    for name, shape in shapes.items():
        if name not in arrays:
            raise InputError(f"{where} has no array {name!r} (shape {shape})")
        found = np.asarray(arrays[name])
        if found.shape != shape:
            raise InputError(f"{where}: the array {name!r} must have the shape {shape}, not {found.shape}")
        if not np.issubdtype(found.dtype, np.floating) or not np.isfinite(found).all():
            raise InputError(f"{where}: the array {name!r} must hold finite numbers")


class _RefusedError(Exception):
    pass


class _ArraysOnly(pickle.Unpickler):
    """Admits the names that NumPy's own pickles use."""

    _ADMITTED = frozenset(
        {
            ("numpy", "dtype"),
            ("numpy", "ndarray"),
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
        }
    )

    def find_class(self, module_name: str, global_name: str) -> Any:
        """The admitted object of that name."""
        if (module_name, global_name) not in self._ADMITTED:
            raise _RefusedError(f"{module_name}.{global_name}")
        return super().find_class(module_name.replace("numpy.core", "numpy._core"), global_name)
