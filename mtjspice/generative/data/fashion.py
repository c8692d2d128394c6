"""Fashion-MNIST: H. Xiao, K. Rasul and R. Vollgraf, arXiv 1708.07747 (2017)."""

import gzip
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.data.place import locate

SIDE = 28
CLASSES = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


@dataclass(frozen=True, eq=False)
class Images:
    """``pixels`` of 0 to 255, shape (n, channels, height, width), and ``classes`` (n,)."""

    pixels: NDArray[np.uint8]
    classes: NDArray[np.int64]

    def scaled(self) -> NDArray[np.float32]:
        """Pixels from -1 to 1."""
        return np.asarray(self.pixels, np.float32) / np.float32(127.5) - 1


@lru_cache(maxsize=2)
def load(part: str = "train") -> Images:
    """60,000 images ("train") or 10,000 ("test"); InputError, saying how to get them, where they are missing."""
    name = {"train": "train", "test": "t10k"}[part]
    folder = locate("fashion-mnist")
    pixels = _array(folder / f"{name}-images-idx3-ubyte.gz", 3)
    classes = _array(folder / f"{name}-labels-idx1-ubyte.gz", 1).astype(np.int64)
    if pixels.shape[1:] != (SIDE, SIDE) or len(pixels) != len(classes):
        raise InputError(f"{folder} does not hold Fashion-MNIST: {pixels.shape} pixels, {classes.shape} classes")
    for array in (pixels, classes):
        array.setflags(write=False)
    return Images(pixels[:, None], classes)


def _array(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """An IDX file of bytes: two zeros, the type 8, the number of dimensions, their sizes, the data."""
    try:
        with gzip.open(path) as file:
            content = file.read()
        zeros, kind, found = struct.unpack(">HBB", content[:4])
        shape = struct.unpack(f">{found}I", content[4 : 4 + 4 * found])
        if (zeros, kind, found) != (0, 8, dimensions):
            raise ValueError
        return np.frombuffer(content, np.uint8, offset=4 + 4 * found).reshape(shape)
    except FileNotFoundError:
        raise InputError(f"{path} is missing") from None
    except (OSError, EOFError, ValueError, struct.error):
        raise InputError(f"{path} is not an IDX file of {dimensions} dimensions") from None
