"""Writing of the trained networks that come with mtjspice."""

import io
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mtjspice.files import write_atomically
from mtjspice.generative.weights import ABOUT, Arrays

FOLDER = Path(__file__).parent.parent / "models" / "networks"


def save(name: str, arrays: Arrays, script: str, about: Mapping[str, Any]) -> Path:
    """Write ``models/networks/NAME.npz``, with what the network tells of itself."""
    origin = {
        "script": f"scripts/{Path(script).name}", "torch": torch.__version__, "numpy": np.__version__,
        "python": platform.python_version(),
    }  # fmt: skip
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays, **{ABOUT: np.array(json.dumps({**about, **origin}))})
    path = FOLDER / f"{name}.npz"
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, buffer.getvalue())
    print(f"{path}: {sum(a.size for a in arrays.values())} parameters, {path.stat().st_size / 1e6:.2f} MB")
    return path
