"""Test bench of a MeRAM array: reads a row, writes some of its columns with one pulse, reads it again.

The columns of each group are read one after the other, the first of each group here (``offset`` chooses another).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from mtjspice.circuits.benches.base import Bench
from mtjspice.circuits.benches.word import read_bias_setting, write_rail_setting
from mtjspice.circuits.elements import Junction
from mtjspice.circuits.library.array import MeramArray
from mtjspice.circuits.measurements import At, Energy, Measurement, Peak, Power, Voltage, Width
from mtjspice.circuits.parameters import choice, count, quantity, text
from mtjspice.circuits.stimulus import EDGE, Signal
from mtjspice.circuits.testbench import INSTANCE, Drive, Testbench
from mtjspice.errors import InputError

WRITE_SLOT = 8e-9  # s
_BIAS = 0.8e-9  # s, from the begin of a read to the clamps
_TRIGGER, _TRIGGER_HIGH = 1.0e-9, 4.5e-9  # s, within a write
# V; a pulse of about 1 ns, half a precession of meram100
_CONTROL = MappingProxyType({"gf180mcu": 0.78, "sky130": 0.70, "freepdk45": 0.245})


@dataclass(frozen=True, kw_only=True)
class ArrayCycle(Bench):
    """Read, write, read of one row; ``cycle`` "write" leaves out the reads.

    By default the junctions of a row alternate, and those of the next row begin with the other state.
    """

    circuit: MeramArray = field(kw_only=False)
    row: int = count(0, 0, 1023, "row that is read and written")
    mask: str = text("all", "columns that are written: all, or digits, 1 written, column 0 first")
    offset: int = count(0, 0, 63, "which column of every group is read")
    cycle: str = choice("read-write-read", ("read-write-read", "write"), "operations")
    control: float = quantity(
        lambda b: _CONTROL.get(b.technology.name, 0.25 * b.supply),
        "V",
        0.05,
        lambda b: b.supply,
        "control voltage of the pulse generator",
    )
    write_rail: float = write_rail_setting()
    read_bias: float = read_bias_setting()

    settle: float = quantity(
        lambda b: 1.5e-9 + 25e-12 * b.circuit.rows, "s", 1e-10, 1e-6, "of the lines, from the clamps to sense"
    )
    integrate: float = quantity(2e-9, "s", 1e-10, 1e-6, "from sense to latch")

    def __post_init__(self) -> None:
        super().__post_init__()
        array = self.circuit
        if self.row >= array.rows:
            raise InputError(f"row {self.row} is out of range; the array has rows 0 to {array.rows - 1}")
        if self.offset >= array.share:
            raise InputError(f"offset {self.offset} is out of range; groups have columns 0 to {array.share - 1}")
        if self.mask != "all" and (len(self.mask) != array.columns or set(self.mask) - {"0", "1"}):
            raise InputError(f"mask {self.mask!r} must be all, or {array.columns} digits 0 or 1, column 0 first")

    @property
    def written(self) -> tuple[bool, ...]:
        """Whether each column is written."""
        digits = "1" * self.circuit.columns if self.mask == "all" else self.mask
        return tuple(digit == "1" for digit in digits)

    @property
    def _written_columns(self) -> tuple[int, ...]:
        """Numbers of the columns that are written."""
        return tuple(column for column, on in enumerate(self.written) if on)

    def cell(self, row: int, column: int) -> Junction:
        """The junction of a cell, with its names in the deck."""
        return self.circuit.junctions(INSTANCE)[column * self.circuit.rows + row]

    @property
    def _sense(self) -> float:
        """Rise of sense within a read (s)."""
        return _BIAS + self.settle

    @property
    def _latch(self) -> float:
        """Rise of latch within a read (s)."""
        return self._sense + self.integrate

    @property
    def _read_end(self) -> float:
        """Fall of latch within a read (s); the slot goes on for as long as the outputs need to be charged again."""
        return self._latch + 2e-9

    @property
    def _read_slot(self) -> float:
        return self._read_end + 1.5e-9

    def _slots(self) -> tuple[float | None, float, float | None, float]:
        """Begin of the first read, the write and the second read, and the end (s)."""
        if self.cycle == "write":
            return None, 0.0, None, WRITE_SLOT
        return 0.0, self._read_slot, self._read_slot + WRITE_SLOT, 2 * self._read_slot + WRITE_SLOT

    def drives(self) -> dict[str, Drive]:
        """Sources of all inputs."""
        array, high = self.circuit, self.supply
        first, write, second, _ = self._slots()
        begins = [begin for begin in (first, second) if begin is not None]
        reading = [column % array.share == self.offset for column in range(array.columns)]
        signals = {name: Signal() for name in ("trigger", "control", "write", "sense", "latch", "read_bias")}
        columns = [Signal() for _ in range(array.columns)]
        signals["control"] = Signal(0.0 if begins else self.control)
        row = Signal().to(0.1e-9, high)
        for begin in sorted([*begins, write]):
            if begin == write:
                signals["control"].to(begin + EDGE, self.control)
                signals["write"].pulse(begin + 2 * EDGE, begin + WRITE_SLOT - 4 * EDGE, high)
                signals["trigger"].pulse(begin + _TRIGGER, begin + _TRIGGER + _TRIGGER_HIGH, high)
                chosen, until = self.written, WRITE_SLOT
            else:
                signals["control"].to(begin + EDGE, 0.0)
                signals["read_bias"].pulse(begin + _BIAS, begin + self._latch + 4 * EDGE, self.read_bias)
                signals["sense"].pulse(begin + self._sense, begin + self._read_end + 4 * EDGE, high)
                signals["latch"].pulse(begin + self._latch, begin + self._read_end, high)
                chosen, until = tuple(reading), self._read_slot
            for signal, on in zip(columns, chosen, strict=True):
                if on:
                    signal.pulse(begin + 3 * EDGE, begin + until - 3 * EDGE, high)
        return {
            "vdd": high, "vw": self.write_rail, "vss": 0.0, **signals,
            **{f"row{k}": row if k == self.row else 0.0 for k in range(array.rows)},
            **{f"column{k}": signal for k, signal in enumerate(columns)},
        }  # fmt: skip

    def testbench(self) -> Testbench:
        """Measured: see `measurements`."""
        array = self.circuit
        default = tuple(1 if (row + column) % 2 == 0 else -1 for column in range(array.columns)
                        for row in range(array.rows))  # fmt: skip
        probes = [f"v({node})" for cell in self._probed() for node in (cell.top, cell.bottom)]
        holds = {
            name: volts
            for k in range(array.outputs)
            for name, volts in ((f"data{k}", 0.0), (f"x{INSTANCE}.open_keep{k}_qb", self.supply))
        }
        return Testbench(
            array, self._slots()[-1], self.drives(), measurements=self.measurements(), probes=tuple(probes),
            states=self.states or default, corner=self.corner, temperature=self.temperature,
            mismatch_seed=self.mismatch_seed, max_step=5e-11, relative_tolerance=1e-3,
            observed=tuple(column * array.rows + self.row for column in self._written_columns),
            # no bypass: transistors that a line leaves slowly would keep currents that are out of date
            options="method=gear", nodesets=holds,
        )  # fmt: skip

    def _probed(self) -> tuple[Junction, ...]:
        """Cells of the row, and of the first written column those of the first, another and the last row."""
        array = self.circuit
        column = next(iter(self._written_columns), 0)
        rows = sorted({0, self._other_row(), array.rows - 1})
        return (
            *(self.cell(self.row, k) for k in range(array.columns)), *(self.cell(row, column) for row in rows),
        )  # fmt: skip

    def _other_row(self) -> int:
        """The row of a half-selected cell."""
        return self.row + 1 if self.row + 1 < self.circuit.rows else max(self.row - 1, 0)

    def measurements(self) -> Mapping[str, Measurement]:
        """Of the write: ``width<k>`` and ``amplitude<k>`` on the cell of every written column k, and the largest
        voltage on a cell of the row in a column that is not written and on one of a written column in another row. Of
        the second read: sense margins (q less qb at the latch; positive for AP) and data. Energy of write and second
        read.
        """
        array = self.circuit
        _, write, second, end = self._slots()
        written = self._written_columns
        found: dict[str, Measurement] = {"write_energy": Energy(Power(tuple(self.drives())), write, write + WRITE_SLOT)}
        for column in written:
            across = _across(self.cell(self.row, column))
            found[f"width{column}"] = Width(across, write, write + WRITE_SLOT)
            found[f"amplitude{column}"] = Peak(across, "max", write, write + WRITE_SLOT)
        spared = [k for k, on in enumerate(self.written) if not on]
        if spared:
            found["row_half_selected"] = Peak(_across(self.cell(self.row, spared[0])), "max", write, write + WRITE_SLOT)
        if written and array.rows > 1:
            half = _across(self.cell(self._other_row(), written[0]))
            found["column_half_selected"] = Peak(half, "max", write, write + WRITE_SLOT)
        if second is not None:
            found["read_energy"] = Energy(Power(tuple(self.drives())), second, end)
            for k in range(array.outputs):
                outputs = Voltage(f"x{INSTANCE}.q{k}", f"x{INSTANCE}.qb{k}")
                found[f"sense_margin{k}"] = At(outputs, second + self._latch + EDGE / 2)
                found[f"data{k}_volts"] = At(Voltage(f"data{k}"), end - 2 * EDGE)
        return found


def _across(cell: Junction) -> Voltage:
    return Voltage(cell.top, cell.bottom)
