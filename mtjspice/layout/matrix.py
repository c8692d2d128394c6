"""Bit cells side by side: which cells of a circuit form a matrix, and where its lines run.

A cell is half a pair: two cells share the source contact between them, and so the source line of their column. Word
lines run across in poly, with metal3 above them; source lines run up in metal2, bit lines in metal4. The two cells of
a pair have one bit line (an array), or one each (a differential pair).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil

from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.library.array import MeramArray
from mtjspice.circuits.library.cells import Cell1T1M, Cell2T2M, DifferentialPair
from mtjspice.errors import InputError
from mtjspice.layout.flat import Device, Flat
from mtjspice.layout.strips import NARROW, PITCH, nanometres

CELLS = (Cell1T1M, Cell2T2M, DifferentialPair)
WHOLES = (MeramArray, *CELLS)

CELL_HEIGHT = 1200  # nm
GATE_MARGIN = 230  # nm, of word line and implant beyond a transistor at the edge: PL.4, NP.5a
STRAP_COLUMNS = 3  # where poly and metal3 of the word lines meet
STRAP_EVERY = 16  # cells
TAP_HEIGHT = 760  # nm
TAP_EVERY = 12  # pairs: no cell is further than 20 um from a tap (DF.14)


@dataclass(frozen=True)
class Site:
    """A cell: its transistor's width (m) and its junction's diameter (m)."""

    width: float
    diameter: float


@dataclass(frozen=True)
class Matrix:
    """Cells by row and column.

    ``word`` are the nets of the rows' word lines, ``source`` those of the columns' source lines, ``bit`` of each column
    the bit lines of its even and its odd rows. ``replicas`` are nets with a line like a source line, without cells.
    """

    sites: tuple[tuple[Site, ...], ...] = field(repr=False)
    word: tuple[str, ...]
    source: tuple[str, ...]
    bit: tuple[tuple[str, str], ...]
    replicas: tuple[str, ...] = ()

    @cached_property
    def cell_columns(self) -> int:
        """Grid columns of a cell: three, or more for wide transistors."""
        widest = max(nanometres(site.width) for row in self.sites for site in row)
        return max(3, ceil((widest + 2 * GATE_MARGIN) / PITCH))

    @property
    def cell_area(self) -> float:
        """Area of one cell as it is repeated, m2."""
        return self.cell_columns * PITCH * CELL_HEIGHT * 1e-18

    @cached_property
    def risers(self) -> tuple[str, ...]:
        """Nets of the word lines, each once, in the order of their columns at the left."""
        return tuple(dict.fromkeys(self.word))

    def first(self, index: int) -> int:
        """Grid column of a column's source line; those behind the last column are replicas."""
        straps = STRAP_COLUMNS * (1 + min(index, len(self.source) - 1) // STRAP_EVERY)
        return len(self.risers) + 1 + straps + index * self.cell_columns

    @cached_property
    def columns(self) -> int:
        """Grid columns of everything."""
        return self.first(len(self.source) + len(self.replicas))

    def bottom(self, pair: int) -> int:
        """Height (nm) of the lower edge of a pair of rows, above a tap."""
        return pair * 2 * CELL_HEIGHT + (1 + pair // TAP_EVERY) * TAP_HEIGHT

    @cached_property
    def taps(self) -> tuple[int, ...]:
        """Heights of the lower edges of the taps."""
        pairs = ceil(len(self.word) / 2)
        return tuple(self.bottom(pair) - TAP_HEIGHT for pair in range(0, pairs, TAP_EVERY))

    @cached_property
    def height(self) -> int:
        """Of the whole, nm."""
        return self.bottom(ceil(len(self.word) / 2) - 1) + 2 * CELL_HEIGHT

    @property
    def outline(self) -> tuple[int, int, int, int]:
        """Left, bottom, right, top (nm) of the cells without straps and taps."""
        left = self.first(0) * PITCH - PITCH // 2
        top = self.bottom(0) + len(self.word) * CELL_HEIGHT
        return left, self.bottom(0), left + len(self.source) * self.cell_columns * PITCH, top

    @cached_property
    def lines(self) -> Mapping[str, int]:
        """Grid column of every net that comes out at the lower edge in metal4."""
        found = {net: column for column, net in enumerate(self.risers)}
        for index, net in enumerate((*self.source, *self.replicas)):
            found[net] = self.first(index)
        for index, (even, odd) in enumerate(self.bit):
            found[odd] = self.first(index) + (2 if odd == even else 1)
            found[even] = self.first(index) + 2
        return found


def split(flat: Flat) -> tuple[Matrix | None, Flat]:
    """Take the matrix out of a flattened circuit: return it, None where there is none, and the rest."""
    if not isinstance(flat.circuit, WHOLES):
        return None, flat
    halves = [half for group in _cells(flat) for half in _halves(group)]
    rows = list(dict.fromkeys((half.word, half.index) for half in halves))
    columns = list(dict.fromkeys(half.source for half in halves))
    at = {(rows.index((half.word, half.index)), columns.index(half.source)): half for half in halves}
    if not halves or len(at) != len(halves) or len(at) != len(rows) * len(columns):
        return None, flat
    bit = []
    for column in range(len(columns)):
        lines = [{at[row, column].bit for row in range(parity, len(rows), 2)} for parity in (0, 1)]
        if any(len(nets) > 1 for nets in lines):
            return None, flat
        even = lines[0].pop()
        bit.append((even, lines[1].pop() if lines[1] else even))
    sites = tuple(tuple(at[row, column].site for column in range(len(columns))) for row in range(len(rows)))
    replicas = _replicas(flat.circuit)
    matrix = Matrix(sites, tuple(word for word, _ in rows), tuple(columns), tuple(bit), replicas)
    drawn = {name for half in halves for name in half.devices}
    rest = tuple(device for device in flat.devices if device.full_name not in drawn)
    return matrix, replace(flat, devices=rest)


def _replicas(circuit: Circuit) -> tuple[str, ...]:
    if isinstance(circuit, MeramArray):
        return tuple(f"refsl{k}" for k in range(circuit.outputs))
    return ()


@dataclass(frozen=True)
class _Half:
    """A transistor and the junction above it; ``index`` counts those of one cell with several."""

    index: int
    word: str
    source: str
    bit: str
    site: Site
    devices: tuple[str, str]


def _cells(flat: Flat) -> Iterator[list[Device]]:
    paths: dict[str, list[Device]] = {}
    for device in flat.devices:
        if isinstance(device.owner, CELLS):
            paths.setdefault(device.path, []).append(device)
    yield from paths.values()


def _halves(devices: Sequence[Device]) -> Iterator[_Half]:
    junctions = {device.nets[1]: device for device in devices if device.kind == "mtj"}
    index = 0
    for device in devices:
        if device.kind != "nfet":
            continue
        drain, gate, source, _ = device.nets
        junction = junctions[drain]
        if nanometres(device.width) < NARROW:
            raise InputError(
                f"layout of {device.full_name}: the transistor of a cell cannot be {device.width * 1e6:g} um wide; at "
                f"least {NARROW / 1e3:g} um, one contact's, are allowed (rules CO.1, CO.4)"
            )
        site = Site(device.width, junction.diameter)
        yield _Half(index, gate, source, junction.nets[0], site, (device.full_name, junction.full_name))
        index += 1
