"""What all extractors have in common: they take a stream to a stream, and say beforehand what comes out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.stream import BitStream
from mtjspice.device.chain import ChainModel

LAGS = 8


@dataclass(frozen=True)
class Prediction:
    """What an extractor makes of given sources.

    ``rate`` is the mean number of output bits per input bit; ``bias`` the probability of a one minus 1/2, and
    ``autocorrelation`` that of the output at lags 1, 2, ...; for an extractor with a bound instead of a law, ``bound``
    is the statistical distance of an output block from fair bits.
    """

    rate: float
    bias: float
    autocorrelation: tuple[float, ...]
    bound: float | None = None


class Extractor(ABC):
    """A subclass implements `extract` and `predict`, and has a ``name``."""

    name: str

    @abstractmethod
    def extract(self, stream: BitStream) -> tuple[NDArray[np.uint8], int, int]:
        """Packed output bits, their number, and their lanes."""

    @abstractmethod
    def predict(self, model: ChainModel, lags: int = LAGS) -> Prediction:
        """What comes out for devices that are two-state Markov chains and take turns, ``model.lanes`` of them.

        NotImplementedError where that is not known in closed form.
        """

    def __call__(self, stream: BitStream) -> BitStream:
        """Condition a stream; the provenance gains an entry ``conditioning``.

        InputError if the stream does not fit, for instance because it is too short.
        """
        packed, length, lanes = self.extract(stream)
        packed.setflags(write=False)
        before = stream.provenance.get("conditioning")
        name = self.name if before is None else f"{before} + {self.name}"
        return BitStream(packed, length, stream.origin, {**stream.provenance, "conditioning": name}, lanes)
