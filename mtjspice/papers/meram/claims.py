"""What the paper on MeRAM noise claims. Its full text was not at hand: abstract, opening and summaries were."""

from mtjspice.papers.findings import Claim, Origin

OSCILLATES = Claim(
    text="the switching probability oscillates with the width of the pulse",
    place="on the device",
    origin=Origin.SUMMARY,
)
SHORT_DETERMINISTIC = Claim(
    text="short pulses switch deterministically",
    place="on the device",
    origin=Origin.SUMMARY,
    value=1.0,
)
LONG_HALF = Claim(
    text="long pulses switch with 50 %",
    place="on the device",
    origin=Origin.SUMMARY,
    value=0.5,
)
DEVICE = Claim(
    text="100 nm, VCMA of about 40 fJ/(V m), TMR of about 220 %, in a CMOS process of 180 nm",
    place="on the device",
    origin=Origin.SUMMARY,
)
KRONECKER = Claim(
    text="a 2 x 2 matrix for each junction; that of the array is their Kronecker product",
    place="on the Markov chain",
    origin=Origin.SUMMARY,
)
CLOSER_WITH_STEPS = Claim(
    text="the noise gets closer to a standard Gaussian with more iterations",
    place="on the Markov chain",
    origin=Origin.SUMMARY,
)
MORE_BITS = Claim(
    text="more bits and more arrays extend the range and the granularity",
    place="on the array",
    origin=Origin.SUMMARY,
)
UNIT = Claim(
    text="a unit of 8 bits, each one junction, with widths of integer and fraction assigned",
    place="on the array",
    origin=Origin.SUMMARY,
)
FIDS = (13.1, 12.1)  # with MeRAM noise, and with software noise
FID_RATIO = Claim(
    text="FID of 13.1 with MeRAM noise against 12.1 with software noise, a ratio of 1.08",
    place="CelebA-HQ, 100 epochs",
    origin=Origin.DERIVED,
    value=1.083,
    low=1.074,
    high=1.091,
)
FID_COMPARABLE = Claim(text="an FID comparable to that of software noise", place="abstract", origin=Origin.TEXT)
SAVING = Claim(
    text="saves 80 % of the energy of a pseudo-random generator in CMOS",
    place="on energy",
    origin=Origin.SUMMARY,
    value=0.80,
)
FACTOR = Claim(
    text="about 10³ better in energy per bit per area than traditional hardware",
    place="abstract",
    origin=Origin.TEXT,
    value=1e3,
    low=10**2.5,  # our reading of "about": to the nearest power of ten
    high=10**3.5,
)
AREA_FACTOR = Claim(
    text="80 % less energy (a factor of 5) and 10³ in all leave a factor of 200 in area",
    place="from both claims, which may have different opponents",
    origin=Origin.DERIVED,
    value=200.0,
)
