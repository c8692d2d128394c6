"""What the paper on in-situ P-bits claims. Its text was at hand, its figures were not; table II came out of order."""

from dataclasses import dataclass

from mtjspice.papers.findings import Claim, Origin

# --- the junction ---------------------------------------------------------------------------------------------

PULSE_WIDTH, HALF_VOLTS, WINDOW_VOLTS = 700e-12, 1.5, 1.0  # s, V, V
FIRST_PEAK = Claim(
    text="first peak of the switching probability at a pulse width of 700 ps",
    place="on the P-bit", origin=Origin.TEXT, value=PULSE_WIDTH,
)  # fmt: skip
HALF_VOLTAGE = Claim(text="50 % switching at 1.5 V", place="on the P-bit", origin=Origin.TEXT, value=HALF_VOLTS)
WINDOW = Claim(text="a stochastic window of about 1 V", place="on the P-bit", origin=Origin.TEXT, value=WINDOW_VOLTS)
CALIBRATION_FREE = Claim(
    text="calibration-free: one setting, at which the array's mean is 50 %, for all devices",
    place="on the array of P-bits", origin=Origin.TEXT,
)  # fmt: skip

# --- reading --------------------------------------------------------------------------------------------------

# the captions of both figures came interleaved: which belongs to which is derived
TMR_STANDALONE = Claim(
    text="TMR above 100 % of standalone devices", place="on the devices (captions put in order)", origin=Origin.DERIVED,
    value=1.0,
)  # fmt: skip
TMR_READ_VOLTAGE, TMR_ARRAY_MEAN = 0.2, 0.65  # V
TMR_ARRAY = Claim(
    text="mean TMR of 65 % at 200 mV, four integrated arrays", place="on the arrays (captions put in order)",
    origin=Origin.DERIVED, value=TMR_ARRAY_MEAN, low=0.645, high=0.655,
)  # fmt: skip
MARGIN_SIGMAS = 6.0
MARGIN = Claim(
    text="three conductance states of a differential pair, with a read margin of about 6 sigma each",
    place="on the differential pair", origin=Origin.TEXT, value=MARGIN_SIGMAS,
)  # fmt: skip

# --- bits -----------------------------------------------------------------------------------------------------

ENTROPY_BITS = 4096
ENTROPY_VALUE = 0.999986
ENTROPY = Claim(
    text="Shannon entropy of 0.999986 on 4096 bits", place="on the bits", origin=Origin.TEXT, value=ENTROPY_VALUE,
    low=0.9999855, high=0.9999865,
)  # fmt: skip
HAMMING = Claim(text="mean Hamming distance of 0.5 between samples", place="on the bits", origin=Origin.TEXT, value=0.5)
AUTOCORRELATION = Claim(
    text="the autocorrelation of the bits is a check of their randomness", place="on the bits", origin=Origin.TEXT
)
P_VALUES = {
    "frequency": 0.810, "block-frequency": 0.921, "cumulative-sums": 0.991, "runs": 0.831, "longest-run": 0.202,
    "random-excursions": 0.815, "dft": 0.897, "serial": 0.975, "approximate-entropy": 0.970,
}  # fmt: skip
"""Table I. Of one further test, non-overlapping templates, it says that all pass."""
LISTED = (*P_VALUES, "non-overlapping-template")
TABLE_ONE = Claim(
    text="ten tests of SP 800-22 are passed, with p-values of 0.202 to 0.991", place="table I", origin=Origin.TEXT
)

# --- the array and the network --------------------------------------------------------------------------------

THREE_STATES = Claim(
    text="data bit and P-bit make a probabilistic differential pair, with the topology of an ordinary one",
    place="on the cell", origin=Origin.TEXT,
)  # fmt: skip
DROP_CONNECT = Claim(
    text="drop-connect in the array computes the differential of the SDE directly (laws compared by UMAP)",
    place="on the network", origin=Origin.TEXT,
)  # fmt: skip
REGRESSION = Claim(text="heteroscedastic regression as a demonstration", place="on the network", origin=Origin.TEXT)
ENDURANCE_PULSES, ENDURANCE_DEVICES = 1e12, 4
ENDURANCE = Claim(
    text="1e12 write and read pulses, four devices",
    place="on the devices",
    origin=Origin.TEXT,
    value=ENDURANCE_PULSES,
)

# --- table II -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A row of table II: ``rate`` in bit/s, ``energy`` in J a bit; ``added`` is what it gives as additional area."""

    work: str
    device: str
    place: str
    added: str
    rate: float
    energy: float
    usable: bool = True


TABLE_TWO = (
    Row("this work, in situ", "VCMA-MTJ", "in situ", "0", 29.8e9, 0.089e-12),
    Row("this work, ex situ", "VCMA-MTJ", "ex situ", "609.8 um2", 4.97e9, 0.196e-12),
    Row("JSSC 2024", "CMOS", "ex situ", "2254 um2", 10e9, 0.121e-12),
    Row("IEDM 2023", "superparamagnetic MTJ, in plane", "ex situ", "board", 5e-4 * 1e9, 16800e-12),
    Row("NC 2024, out of plane", "superparamagnetic MTJ", "ex situ", "board", 3.2e-5 * 1e9, 10000e-12),
    # a rate of 10 bit/ns from a board is odd, and the cited work was not seen: in no figure, ratio or finding
    Row("NC 2024, in plane", "superparamagnetic MTJ", "ex situ", "board", 10e9, 10e-12, usable=False),
    Row("IEDM 2019", "RRAM", "ex situ", "array", 1.1e-3 * 1e9, 3.51e-12),
    Row("TCAS-II", "CMOS", "ex situ", "FPGA", 0.3e9, 400e-12),
)
"""Which value belongs to which row follows from the ratios that the text gives."""
IN_SITU, EX_SITU, BEST_CMOS, LEAST_EFFICIENT, SLOWEST = (TABLE_TWO[k] for k in (0, 1, 2, 3, 4))

# limits are half a unit of the last digit; of a power of ten, half a decade, which is our reading
FASTER_RATIO = 6.0
FASTER = Claim(
    text="6 times faster than ex situ",
    place="table II and text",
    origin=Origin.TEXT,
    value=FASTER_RATIO,
    low=5.5,
    high=6.5,
)
MORE_EFFICIENT = Claim(
    text="2.19 times more efficient than ex situ", place="table II and text", origin=Origin.TEXT, value=2.19,
    low=2.185, high=2.195,
)  # fmt: skip
FASTER_THAN_CMOS = Claim(
    text="3 times faster than the best CMOS", place="text", origin=Origin.TEXT, value=3.0, low=2.5, high=3.5
)
MORE_EFFICIENT_THAN_CMOS = Claim(
    text="1.36 times more efficient than the best CMOS", place="text", origin=Origin.TEXT, value=1.36, low=1.355,
    high=1.365,
)  # fmt: skip
LARGEST_SPEED = Claim(
    text="up to 1e6 times faster",
    place="text, as a power of ten",
    origin=Origin.TEXT,
    value=1e6,
    low=10**5.5,
    high=10**6.5,
)
LARGEST_EFFICIENCY = Claim(
    text="up to 1.9e5 times more efficient", place="text", origin=Origin.TEXT, value=1.9e5, low=1.85e5, high=1.95e5
)
RATIOS = Claim(
    text="6 and 2.19 times ex situ, 3 and 1.36 times the best CMOS, up to 1e6 and 1.9e5 times others (rate, energy)",
    place="text, beside table II", origin=Origin.TEXT,
)  # fmt: skip
IN_SITU_RATE = Claim(
    text="29.8 bit/ns in situ", place="table II (rows put in order by the ratios of the text)", origin=Origin.DERIVED,
    value=IN_SITU.rate, low=29.75e9, high=29.85e9,
)  # fmt: skip
IN_SITU_ENERGY = Claim(
    text="0.089 pJ/bit in situ", place="table II (rows put in order by the ratios of the text)", origin=Origin.DERIVED,
    value=IN_SITU.energy, low=0.0885e-12, high=0.0895e-12,
)  # fmt: skip


def row_claim(row: Row) -> Claim:
    """Rate and energy of a row of table II."""
    return Claim(
        text=f"{row.rate * 1e-9:.3g} bit/ns, {row.energy * 1e12:.6g} pJ/bit", place=IN_SITU_RATE.place,
        origin=Origin.DERIVED,
    )  # fmt: skip


NO_AREA = Claim(text="no additional area", place="table II", origin=Origin.TEXT, value=0.0)
