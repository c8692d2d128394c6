"""Writing files so that a reader never meets half of one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mtjspice.errors import InputError


def output_folder(path: Path) -> Path:
    """Create ``path`` if needed and prove that it can be written to; InputError otherwise."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise InputError(f"cannot write to the output folder {path}: {error.strerror or error}") from None
    return path


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """A temporary file beside ``path`` that takes its place at the end, so that it appears whole or not at all.

    What a symbolic link points to is replaced, not the link; pipes and devices are written to as they are.
    """
    temporary = None
    try:
        target = path.resolve() if path.is_symlink() else path
        if target.is_dir():
            raise InputError(f"cannot write {path}: it is a folder")
        if target.exists() and not target.is_file():
            with target.open("wb") as handle:
                yield handle
            return
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as handle:
            temporary = Path(handle.name)
            yield handle
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write ``content`` to ``path`` whole or not at all; InputError where that fails."""
    with atomic_file(path) as handle:
        handle.write(content.encode() if isinstance(content, str) else content)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def netcdf_attribute(value: str | int | float) -> str | int | float:
    """Return an attribute as NetCDF 3 can hold it: its whole numbers end at 2^31, a larger one becomes a float."""
    return float(value) if isinstance(value, int) and not -(2**31) <= value < 2**31 else value
