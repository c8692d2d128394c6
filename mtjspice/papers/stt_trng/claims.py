"""What the paper on STT-MTJ randomness claims. Its full text was not at hand: the abstract and summaries were."""

from typing import NamedTuple

from mtjspice.papers.findings import Claim, Origin

DEVICES = Claim(text="16 junctions, a DAC and an ADC channel each", place="system", origin=Origin.SUMMARY, value=16)
DEVICE_RATE = Claim(text="100 kHz per junction", place="system", origin=Origin.SUMMARY, value=1e5)
RATE = Claim(text="1.6 Mb/s measured", place="system", origin=Origin.SUMMARY, value=1.6e6, low=1.55e6, high=1.65e6)
TRIMMED = Claim(
    text="the switching curve of every junction is measured and its voltage set to about 50 %",
    place="calibration", origin=Origin.SUMMARY,
)  # fmt: skip
RAW_FAILS = Claim(text="raw bits fail SP 800-22", place="Table 1", origin=Origin.SUMMARY)
XOR_PASSES = Claim(
    text="XOR of three raw bits passes all 15 tests of SP 800-22", place="Table 1", origin=Origin.SUMMARY, value=15,
)  # fmt: skip
TOEPLITZ_PASSES = Claim(
    text="bits hashed with a Toeplitz matrix pass SP 800-22", place="Table 1", origin=Origin.SUMMARY
)
MINIMAL_OVERHEAD = Claim(
    text="passes the NIST tests after in-situ operations with minimal overhead", place="abstract", origin=Origin.TEXT
)
POWER = Claim(
    text="7.2 mW (of what is not said)", place="system", origin=Origin.SUMMARY, value=7.2e-3, low=7.15e-3, high=7.25e-3,
)  # fmt: skip
ENERGY_AVERAGE = Claim(
    text="4.5 nJ/bit, if 7.2 mW is the average of 16 channels at 100 kb/s each",
    place="7.2 mW / 1.6 Mb/s", origin=Origin.DERIVED, value=4.5e-9, low=4.4e-9, high=4.6e-9,
)  # fmt: skip
MILLION_CELLS = Claim(
    text="more than a million parallel cells, Gb/s", place="abstract, a projection", origin=Origin.TEXT, value=1e6,
)  # fmt: skip
MILLION_RATE = Claim(
    text="100 Gb/s from a million cells at 100 kHz", place="arithmetic on the projection", origin=Origin.DERIVED,
    value=1e11,
)  # fmt: skip
LANGUAGE_MODELS = Claim(
    text="suitable for sampling of large language models", place="abstract, a projection", origin=Origin.TEXT
)
FEWER = Claim(
    text="up to 18.6 times fewer insecure outputs than with a low-quality generator (an LFSR)",
    place="abstract", origin=Origin.TEXT, value=18.6, low=18.55, high=18.65,
)  # fmt: skip
ONE_CLASS = Claim(
    text="18.6 is the ratio of class 6 of CIFAR-10 (frog): the largest of ten classes", place="results",
    origin=Origin.SUMMARY, value=18.6,
)  # fmt: skip
NEAR_PAIRS = Claim(
    text="insecure: pairs of generated images with LPIPS < 0.3", place="method", origin=Origin.SUMMARY, value=0.3
)


class SwitchingCurve(NamedTuple):
    """Points of a published switching curve: probabilities at voltages (V)."""

    voltages: tuple[float, ...]
    probabilities: tuple[float, ...]
    citation: str


OTHER_DEVICE = SwitchingCurve(
    (0.275, 0.282, 0.288), (0.25, 0.48, 0.81),
    "another STT-MTJ generator: Nature Communications (2025), s41467-025-66864-9, caption of Fig. 1",
)  # fmt: skip


def power_text() -> str:
    """The published power as a reader should see it, such as 7.2 mW."""
    return f"{(POWER.value or 0.0) * 1e3:g} mW"
