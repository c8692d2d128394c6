"""Whether a path of the user's can be the data set that it is said to be; nothing is read but names and sizes."""

import zipfile
from pathlib import Path

from mtjspice.errors import InputError

CIFAR_BATCHES = (*(f"data_batch_{k}" for k in range(1, 6)), "test_batch")
PICTURES = (".png", ".jpg", ".jpeg")
LEAST_PICTURES = 500
"""Of a folder: fewer train no model."""


def cifar(folder: Path) -> None:
    """InputError unless the folder has the files of the binary version or of Python's."""
    if not any(all((folder / f"{name}{end}").is_file() for name in CIFAR_BATCHES) for end in (".bin", "")):
        raise InputError(
            f"{folder} is not CIFAR-10: it has neither data_batch_1.bin to 5.bin and test_batch.bin nor those files "
            "without .bin"
        )


def picture_files(folder: Path) -> list[Path]:
    """Pictures in the folder and below it, in the order of their names."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)


def pictures(folder: Path) -> None:
    """InputError unless the folder has enough pictures."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder of pictures")
    count = len(picture_files(folder))
    if count < LEAST_PICTURES:
        raise InputError(f"{folder} has {count} pictures ({', '.join(PICTURES)}); {LEAST_PICTURES} or more are needed")


def torchscript(path: Path) -> None:
    """InputError unless the file is an archive with code, as TorchScript is."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not a TorchScript file")
    with zipfile.ZipFile(path) as archive:
        if not any("/code/" in name for name in archive.namelist()):
            raise InputError(f"{path} is not a TorchScript file")
