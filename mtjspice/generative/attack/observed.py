"""What an attacker has: published images and public knowledge. Nothing in here holds a bit of the source."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.gan.latent_sets import Pattern

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Observed:
    """Published images, uint8 (n, height, width, channels), successive ones of a stream.

    The first image seen is number 0, and its first bit is bit 0. How many images there were before is unknown, and
    need not be known: a generator's state at bit 0 says all that follows, and a register's all that went before.
    """

    images: Bytes


@dataclass(frozen=True)
class Knowledge:
    """What is public: bits of a ``word``, numbers of a latent, how the source is used, and its kind.

    ``family`` names it as text without seed or state, as ``lfsr:32`` or ``pcg64``; ``lossless`` says whether pixels are
    rounded only.
    """

    family: str
    word: int
    latent_size: int
    pattern: Pattern
    lossless: bool = True

    @property
    def bits_per_image(self) -> int:
        """Bits of the source that an image is made of."""
        return self.word * self.latent_size


@dataclass(frozen=True)
class Channel:
    """How images are published: 256 levels a pixel, and with ``quality`` (1 to 95) as JPEG without subsampling."""

    quality: int | None = None

    def __post_init__(self) -> None:
        if self.quality is not None and not 1 <= self.quality <= 95:
            raise InputError(f"the quality of JPEG lies between 1 and 95, not {self.quality}")

    @classmethod
    def parse(cls, text: str) -> "Channel":
        """Read ``png`` (lossless) or ``jpeg:90``; InputError for anything else."""
        if text == "png":
            return cls()
        kind, _, quality = text.partition(":")
        if kind != "jpeg" or not (quality.isascii() and quality.isdigit()):
            raise InputError(f"unknown channel {text!r}; available: png, jpeg:QUALITY")
        return cls(int(quality))

    def __str__(self) -> str:
        return "png" if self.quality is None else f"jpeg:{self.quality}"

    def publish(self, images: NDArray[np.float32]) -> Bytes:
        """Images (n, channels, height, width) in [-1, 1] as bytes (n, height, width, channels)."""
        rounded = np.rint((np.clip(images, -1, 1).transpose(0, 2, 3, 1) + 1) * 127.5).astype(np.uint8)
        return rounded if self.quality is None else np.stack([_jpeg(image, self.quality) for image in rounded])


def _jpeg(image: Bytes, quality: int) -> Bytes:
    try:
        from PIL import Image
    except ImportError:
        raise InputError("publishing as JPEG needs Pillow: pip install pillow") from None
    buffer = BytesIO()
    Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image).save(
        buffer, "JPEG", quality=quality, subsampling=0
    )
    return np.asarray(Image.open(buffer), np.uint8).reshape(image.shape)
