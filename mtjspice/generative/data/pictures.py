"""Images of the user's own copies of data sets: CIFAR-10, and folders of pictures."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError, choose
from mtjspice.generative.data import recognise
from mtjspice.generative.data.place import locate
from mtjspice.generative.weights import numpy_pickle

SIDE = 32
_TEST_SHARE = 6  # one picture of so many is kept for comparison
_ROW = 1 + 3 * SIDE * SIDE

Parts = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Pixels of 0 to 255 for training and for comparison, each (n, 3, 32, 32)."""


@lru_cache(maxsize=1)
def load(name: str) -> Parts:
    """Pictures of "cifar-10" or "celeba-hq"; InputError where the copy is missing or is something else."""
    readers: dict[str, Callable[[Path], Parts]] = {"cifar-10": _cifar, "celeba-hq": _folder}
    found = readers[choose("data set of pictures", name, readers)](locate(name))
    for part in found:
        part.setflags(write=False)
    return found


def _cifar(folder: Path) -> Parts:
    """The binary version (10,000 rows of a class and 3072 pixels in each file) or that of Python's pickles."""
    recognise.cifar(folder)
    if (folder / "data_batch_1.bin").is_file():
        files = [_rows(folder / f"{name}.bin") for name in recognise.CIFAR_BATCHES]
    else:
        files = [_pickled(folder / name) for name in recognise.CIFAR_BATCHES]
    return np.concatenate(files[:-1]), files[-1]


def _rows(path: Path) -> NDArray[np.uint8]:
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    if content.size == 0 or content.size % _ROW:
        raise InputError(f"{path} is not a file of CIFAR-10: its size is no multiple of {_ROW} bytes")
    return content.reshape(-1, _ROW)[:, 1:].reshape(-1, 3, SIDE, SIDE).copy()


def _pickled(path: Path) -> NDArray[np.uint8]:
    found = numpy_pickle(path)
    pixels = found.get("data") if isinstance(found, dict) else None
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 2 or pixels.shape[1] != _ROW - 1:
        raise InputError(f"{path} is not a file of CIFAR-10: it has no array 'data' of {_ROW - 1} columns")
    return np.asarray(pixels, np.uint8).reshape(-1, 3, SIDE, SIDE)


def _folder(folder: Path) -> Parts:
    """Every sixth picture, in the order of names, is for comparison."""
    recognise.pictures(folder)
    pixels = np.stack([_picture(path) for path in recognise.picture_files(folder)])
    test = np.arange(len(pixels)) % _TEST_SHARE == 0
    return pixels[~test], pixels[test]


def _picture(path: Path) -> NDArray[np.uint8]:
    """The square in the middle, reduced by averaging over areas."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            side = min(image.size)
            left, top = (image.width - side) // 2, (image.height - side) // 2
            square = image.convert("RGB").crop((left, top, left + side, top + side))
            reduced = square.resize((SIDE, SIDE), Image.Resampling.BOX)
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError):
        raise InputError(f"{path} is not a picture that can be read") from None
    return np.asarray(reduced, np.uint8).transpose(2, 0, 1)
