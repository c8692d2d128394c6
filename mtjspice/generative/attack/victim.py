"""The side that is attacked: a source, its bits, the latents and the published images. The attacker sees the last."""

import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.extractors.catalogue import KINDS as EXTRACTORS
from mtjspice.bits.extractors.catalogue import open_extractor
from mtjspice.bits.sources.base import Source
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.bits.sources.generators import StreamSource
from mtjspice.errors import InputError
from mtjspice.generative.attack.decoder import Decoder
from mtjspice.generative.attack.observed import Channel, Knowledge, Observed
from mtjspice.generative.attack.words import exact_bits
from mtjspice.generative.gan.latent_sets import Opener, Pattern, from_bits, register_length

Floats = NDArray[np.float64]
Bits = NDArray[np.uint8]
_SPLIT = re.compile(rf"\+(?=(?:reseed|{'|'.join(map(re.escape, EXTRACTORS))})(?:[:,+]|$))")
_SPARE = 1.25  # raw bits taken, of those that an extractor is expected to need


@dataclass(frozen=True)
class Plan:
    """A source as it is typed: ``source``, ``extractors`` that its bits pass one after the other, and the pattern.

    ``emulated:fair,p=0.6+xor:3`` is conditioned, ``lfsr:16+reseed:12`` starts anew before each image from one of 2^12
    seeds.
    """

    source: str
    extractors: tuple[str, ...] = ()
    pattern: Pattern = field(default_factory=Pattern)

    @classmethod
    def parse(cls, text: str) -> "Plan":
        """Read such a text; InputError for a pattern or an extractor that is none."""
        source, *parts = _SPLIT.split(text)
        patterns = [Pattern.parse(part) for part in parts if part.startswith("reseed")]
        if len(patterns) > 1:
            raise InputError(f"{text}: a source is reseeded in one way")
        extractors = tuple(part for part in parts if not part.startswith("reseed"))
        for part in extractors:
            open_extractor(part)
        return cls(source, extractors, patterns[0] if patterns else Pattern())

    @property
    def family(self) -> str:
        """What is public of it: the source without its state."""
        public = ",".join(part for part in self.source.split(",") if not part.startswith("state="))
        return "+".join((public, *self.extractors))

    def open(self, seed: int, bits: int, opener: Opener = open_source) -> Source:
        """The conditioned source with ``bits`` bits, or the source itself where there is no extractor."""
        source = opener(self.source, seed)
        if not self.extractors:
            return source
        raw = 1 << 14
        while True:
            stream = source.stream(raw)
            for number, text in enumerate(self.extractors):
                stream = open_extractor(text, seed + 1 + number)(stream)
            if stream.length >= bits:
                return StreamSource(stream)
            # from the start, with as many as this part promises: extractors work on whole streams
            raw = max(2 * raw, int(_SPARE * raw * bits / max(1, stream.length)))
            source = opener(self.source, seed)

    def latents(self, images: int, size: int, word: int, seed: int, opener: Opener = open_source) -> Floats:
        """Latents (images, size) of words of ``word`` bits."""
        bits = images * size * word
        return (
            from_bits(
                self.source, self.pattern, images, size, word, seed, lambda _, start: self.open(start, bits, opener)
            )
            if not self._loads_state
            else from_bits(self.source, self.pattern, images, size, word, seed, opener)
        )

    @property
    def _loads_state(self) -> bool:
        if self.pattern.kind == "reseed" and self.source.startswith("lfsr:"):
            if self.extractors:
                raise InputError("a register that is reseeded is attacked without extractors")
            return True
        return False

    def seeded(self, seed: int, count: int, opener: Opener = open_source) -> Bits:
        """The first ``count`` bits of an image's stream if the source starts from ``seed``, as `from_bits` has it."""
        if self._loads_state:
            length = register_length(self.source)
            return opener(f"{self.source},state={1 + seed % (2**length - 1)}", 0).stream(count).bits()
        return self.open(seed, count, opener).stream(count).bits()


@dataclass(frozen=True, eq=False)
class Victim:
    """The truth: ``latents`` (n, d) of a plan, and the ``bits`` (n * d * word,) that they are made of."""

    plan: Plan
    word: int
    latents: Floats
    bits: Bits

    @classmethod
    def of(cls, plan: Plan, images: int, size: int, word: int, seed: int, opener: Opener = open_source) -> "Victim":
        """Draw ``images`` latents of ``size`` numbers; StreamExhaustedError if the source has too few bits."""
        latents = plan.latents(images, size, word, seed, opener)
        return cls(plan, word, latents, exact_bits(latents, word))

    def knowledge(self, channel: Channel | None = None) -> Knowledge:
        """What is public; images are published through ``channel``, by default losslessly."""
        lossless = channel is None or channel.quality is None
        return Knowledge(self.plan.family, self.word, self.latents.shape[1], self.plan.pattern, lossless)

    def publish(self, decoder: Decoder, images: int, channel: Channel) -> Observed:
        """The first ``images`` images, as everyone sees them."""
        return Observed(channel.publish(decoder.images(self.latents[:images])))
