"""Writing files so that a reader never meets half of one."""

import os
import tempfile
from pathlib import Path

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


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write ``content`` to ``path`` through a temporary file beside it, so that it appears whole or not at all."""
    data = content.encode() if isinstance(content, str) else content
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as handle:
            temporary = Path(handle.name)
            handle.write(data)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def netcdf_attribute(value: str | int | float) -> str | int | float:
    """Return an attribute as NetCDF 3 can hold it: its whole numbers end at 2^31, a larger one becomes a float."""
    return float(value) if isinstance(value, int) and not -(2**31) <= value < 2**31 else value
