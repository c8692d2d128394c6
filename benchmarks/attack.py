"""What attacks on random-number sources through images of faces cost, and how far they come.

    python benchmarks/attack.py [--images 6] [--channel png] [--twister] [--decoding]

Prints for each image the starts and Jacobians of the inversion, its seconds (one thread), what one image of the
generator costs, and how many of the 800 bits are misread: by rounding each number alone, and successively. --twister
recovers MT19937 from 26 images. --decoding prints how often the state of a register is found in noisy signs. Needs
`mtjspice data fetch faces`.
"""

import argparse
import time

import numpy as np

from mtjspice.bits.sources import primitive
from mtjspice.bits.sources.lfsr import LfsrSource
from mtjspice.generative.attack.attacker import joined
from mtjspice.generative.attack.decoder import open_decoder
from mtjspice.generative.attack.decoding import decode
from mtjspice.generative.attack.equations import Register, SoftBits
from mtjspice.generative.attack.inversion import ROUNDING, invert
from mtjspice.generative.attack.observed import Channel
from mtjspice.generative.attack.recovery import recover_stream
from mtjspice.generative.attack.victim import Plan, Victim
from mtjspice.generative.attack.words import estimated_bits
from mtjspice.generative.gaussian import quantiles

WORD = 8


def inversions(source: str, images: int, channel: str, future: int) -> None:
    """Invert ``images`` images of faces from a source, and look for what is behind them."""
    decoder = open_decoder("faces")
    victim = Victim.of(Plan.parse(source), images + future, decoder.latent_size, WORD, 5)
    observed = victim.publish(decoder, images, Channel.parse(channel))
    begin = time.perf_counter()
    for _ in range(20):
        decoder.images(victim.latents[:1])
    image = (time.perf_counter() - begin) / 20
    print(f"one image: {1e3 * image:.1f} ms")
    span = decoder.latent_size * WORD
    parts = []
    for number in range(images):
        begin = time.perf_counter()
        found = invert(decoder, observed.images[number], number)
        seconds = time.perf_counter() - begin
        parts.append(estimated_bits(found, WORD, number * span))
        truth = victim.bits[number * span : (number + 1) * span]
        alone = np.abs(quantiles(WORD)[None] - found.latent[:, None]).argmin(axis=1)
        rounded = ((alone[:, None] >> np.arange(WORD - 1, -1, -1)) & 1).ravel()
        print(
            f"image {number}: {found.starts} starts, {found.jacobians} Jacobians, {seconds:.1f} s = "
            f"{seconds / image:.0f} images, residual {found.residual / ROUNDING:.2f} of rounding, largest error "
            f"{np.abs(found.latent - victim.latents[number]).max():.4f}, misread {(rounded != truth).sum()} alone, "
            f"{(parts[-1].values != truth).sum()} successively, signs {(parts[-1].values != truth)[::WORD].sum()}",
            flush=True,
        )
    result = recover_stream(joined(parts), victim.plan.family, np.random.default_rng(1))
    if result is None:
        print(f"{source}: this attack failed")
        return
    predicted = result.bits(images * span, future * span)
    right = (predicted == victim.bits[images * span :]).mean()
    print(f"{source}: {result.description}; {100 * right:.2f} % of the bits of {future} later images")


def decoding(trials: int = 10, tries: int = 20_000) -> None:
    """States found and seconds a trial, by length, number of signs and error rate."""
    for length in (16, 24, 32, 48, 64):
        register = Register(primitive.taps(length))
        for count in (100, 400):
            cells = []
            for error in (0.02, 0.05, 0.1, 0.15, 0.2):
                found, begin = 0, time.perf_counter()
                for seed in range(trials):
                    rng = np.random.default_rng([seed, length, count])
                    source = LfsrSource(length, seed)
                    positions = np.arange(0, 8 * count, 8)
                    values = source.stream(8 * count).bits()[positions] ^ (rng.random(count) < error)
                    decoded = decode(
                        register, SoftBits(positions, values.astype(np.uint8), np.full(count, error)), rng, tries
                    )
                    state = int(str(source.provenance["state"]), 16)
                    found += decoded is not None and decoded.found and decoded.state == state
                cells.append(f"{error:.0%} {found}/{trials} ({(time.perf_counter() - begin) / trials:.2f} s)")
            print(f"{length} stages, {count} signs: {', '.join(cells)}", flush=True)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=6)
    parser.add_argument("--channel", default="png")
    parser.add_argument("--source", default="lfsr:64,taps=64.63.61.60")
    parser.add_argument("--twister", action="store_true")
    parser.add_argument("--decoding", action="store_true")
    options = parser.parse_args()
    if options.decoding:
        decoding()
    elif options.twister:
        inversions("mt19937", 26, options.channel, 3)
    else:
        inversions(options.source, options.images, options.channel, 3)


if __name__ == "__main__":
    main()
