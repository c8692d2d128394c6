"""The sixteen junctions of the generator as they are taken here: a card and an assumed spread."""

from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.stt_trng import claims

if TYPE_CHECKING:
    from mtjspice.device.card import MTJCard

CARD = "stt_trng_10ns"
PULSE = 1e-8  # s
LANES = int(claims.DEVICES.value or 0)
RATE = float(claims.DEVICE_RATE.value or 0.0)  # cycles per second of a junction
XOR_RATE = LANES * RATE / 3  # bit/s of all junctions, behind XOR of three
RATE_TEXT, ALL_TEXT, XOR_TEXT = f"{RATE / 1e3:g} kHz", f"{LANES * RATE / 1e6:.1f} Mb/s", f"{XOR_RATE / 1e6:.2f} Mb/s"
SPREAD = {"resistance_area_product": 0.04, "tmr": 0.03, "diameter": 0.02, "interfacial_anisotropy": 0.003}
ASSUMED = "card stt_trng_10ns; spread from device to device of 4 % in RA, 3 % in TMR, 2 % in diameter and 0.3 % in K_i"


def junctions(count: int, seed: int) -> "list[MTJCard]":
    """Draw ``count`` junctions of the card with `SPREAD`."""
    from mtjspice.device.card import load_card
    from mtjspice.device.variation import draw

    return draw(load_card(CARD), count, np.random.default_rng([seed, 16]), SPREAD)
