"""A thin binding of libngspice: load a deck, run it, fetch vectors, with compiled callbacks.

libngspice keeps global state, cannot recover from a fatal error in a netlist and may crash the process, so this
module is only used inside the disposable worker process (`mtjspice.spice.worker`).
"""

import ctypes
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import SimulatorError
from mtjspice.spice import callbacks
from mtjspice.spice.bank import Bank

LOG_LINES = 400
_CAUSES = (
    "error",
    "fatal",
    "undefined",
    "unknown",
    "singular",
    "too small",
    "no such",
    "can't find",
    "is nan",
)

_c = ctypes
_SendChar = _c.CFUNCTYPE(_c.c_int, _c.c_char_p, _c.c_int, _c.c_void_p)
_SendStat = _c.CFUNCTYPE(_c.c_int, _c.c_char_p, _c.c_int, _c.c_void_p)
_Exit = _c.CFUNCTYPE(_c.c_int, _c.c_int, _c.c_bool, _c.c_bool, _c.c_int, _c.c_void_p)
_SendInit = _c.CFUNCTYPE(_c.c_int, _c.c_void_p, _c.c_int, _c.c_void_p)
_Running = _c.CFUNCTYPE(_c.c_int, _c.c_bool, _c.c_int, _c.c_void_p)


class _VecInfo(_c.Structure):
    _fields_ = (
        ("number", _c.c_int),
        ("vecname", _c.c_char_p),
        ("is_real", _c.c_bool),
        ("pdvec", _c.c_void_p),
        ("pdvecscale", _c.c_void_p),
    )


class _VecInfoAll(_c.Structure):
    _fields_ = (
        ("name", _c.c_char_p),
        ("title", _c.c_char_p),
        ("date", _c.c_char_p),
        ("type", _c.c_char_p),
        ("veccount", _c.c_int),
        ("vecs", _c.POINTER(_c.POINTER(_VecInfo))),
    )


class _VectorInfo(_c.Structure):
    _fields_ = (
        ("v_name", _c.c_char_p),
        ("v_type", _c.c_int),
        ("v_flags", _c.c_short),
        ("v_realdata", _c.POINTER(_c.c_double)),
        ("v_compdata", _c.c_void_p),
        ("v_length", _c.c_int),
    )


class NgSpice:
    """The one libngspice of this process."""

    def __init__(self, library: Path) -> None:
        self.log: list[str] = []
        self._bank: Bank | None = None
        self._fault = ""
        try:
            self._lib = ctypes.CDLL(str(library))
        except OSError as error:
            raise SimulatorError(f"cannot load libngspice from {library}: {error}") from None
        lib = self._lib
        missing = [name for name in ("ngSpice_Command", "ngSpice_Init_Sync") if not hasattr(lib, name)]
        if missing:
            raise SimulatorError(
                f"{library} is no libngspice with external sources: it has no {' and no '.join(missing)}"
            )
        lib.ngSpice_Command.argtypes = [_c.c_char_p]
        lib.ngSpice_Circ.argtypes = [_c.POINTER(_c.c_char_p)]
        lib.ngGet_Vec_Info.argtypes = [_c.c_char_p]
        lib.ngGet_Vec_Info.restype = _c.POINTER(_VectorInfo)
        lib.ngSpice_CurPlot.restype = _c.c_char_p
        self._keep = (
            _SendChar(self._on_text), _SendStat(lambda *_: 0), _Exit(self._on_exit), _SendInit(self._on_start),
            _Running(lambda *_: 0),
        )  # fmt: skip
        if hasattr(lib, "ngSpice_nospiceinit"):
            lib.ngSpice_nospiceinit()  # a user's .spiceinit must not change results
        # one header for the life of the process: libngspice takes the user pointer only here
        self._header = np.zeros(callbacks.HEADER_WORDS, dtype=np.int64)
        self._user = _c.c_void_p(self._header.ctypes.data)
        text, status, leave, start, running = self._keep
        data = _c.c_void_p(callbacks.accept.address)
        self._ident = _c.c_int(0)
        lib.ngSpice_Init(text, status, leave, data, start, running, self._user)
        supply, shorten = (_c.c_void_p(function.address) for function in (callbacks.supply, callbacks.shorten))
        lib.ngSpice_Init_Sync(supply, supply, shorten, _c.byref(self._ident), self._user)
        # BSIM4 would start one OpenMP team per process; two processes on two cores then spin against each other
        self.command("set num_threads=1")

    def _on_text(self, text: bytes, ident: int, user: int) -> int:
        line = text.decode(errors="replace").removeprefix("stdout ").removeprefix("stderr ").rstrip()
        if line:
            self.log.append(line)
            del self.log[:-LOG_LINES]
            with suppress(OSError):  # the owner reads it there if this process dies
                os.write(1, f"{line}\n".encode())
        return 0

    def _on_exit(self, status: int, immediate: bool, on_quit: bool, ident: int, user: int) -> int:
        self._fault = f"libngspice gave up with status {status}"
        return 0

    def _on_start(self, info: int, ident: int, user: int) -> int:
        """Once a run: which saved vector comes at which index. Errors are kept, as a callback cannot raise."""
        if self._bank is None:
            return 0
        contents = ctypes.cast(info, _c.POINTER(_VecInfoAll)).contents
        vectors: dict[str, int] = {}
        data: list[int] = []
        scale = -1
        for index in range(contents.veccount):
            name = contents.vecs[index].contents.vecname.decode().lower()
            vectors[name.removeprefix("v(").removesuffix(")") if name.startswith("v(") else name] = index
            data.append(contents.vecs[index].contents.pdvec)
            if name == "time":
                scale = index
        try:
            self._bank.connect(vectors, scale, data)
            self._header[:] = self._bank.header
        except SimulatorError as error:
            self._fault = str(error)
            self._header[callbacks.DEVICES] = 0
        return 0

    def command(self, text: str) -> None:
        """Run one ngspice command; SimulatorError with the log if it fails."""
        status = self._lib.ngSpice_Command(text.encode())
        self._raise_fault()
        if status:
            raise SimulatorError(f"ngspice command {text!r} failed", self.log[-20:])

    def _raise_fault(self) -> None:
        if self._fault:
            fault, self._fault = self._fault, ""
            raise SimulatorError(fault, self.log[-20:])

    def cause(self) -> str:
        """Return the first line since the last `load` or `run` that tells what went wrong; empty if none does."""
        return next((line for line in self.log if any(word in line.lower() for word in _CAUSES)), "")

    def load(self, deck: str) -> None:
        """Load a netlist (title first). A fatal error leaves the process unusable."""
        lines = [line.encode() for line in deck.splitlines() if line.strip()]
        array = (_c.c_char_p * (len(lines) + 1))(*lines, None)
        self.log.clear()
        status = self._lib.ngSpice_Circ(array)
        gave_up, self._fault = self._fault, ""
        # a netlist with a faulty line returns 0 as well
        refused = status or any(line.lower().startswith(("error", "fatal")) for line in self.log)
        if gave_up or refused:
            cause = self.cause() or gave_up or f"status {status}"
            raise SimulatorError(f"ngspice refused the netlist: {cause}", self.log[-20:])

    def run(self, bank: Bank) -> None:
        """Run the transient of the loaded deck with ``bank`` behind the external sources."""
        self._bank = bank
        self._header[:] = bank.header
        self.log.clear()
        try:
            status = self._lib.ngSpice_Command(b"run")
        finally:
            self._bank = None
            bank.header[:] = self._header
        self._raise_fault()
        try:
            bank.check()
        except SimulatorError as error:
            raise SimulatorError(str(error), self.log[-20:]) from None
        if status:
            raise SimulatorError(f"the transient failed: {self.cause() or f'status {status}'}", self.log[-20:])

    def vectors(self, names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Copy vectors of the current plot, by name, such as ``v(out)`` or ``i(vdd)``."""
        found: dict[str, NDArray[np.float64]] = {}
        for name in names:
            info = self._lib.ngGet_Vec_Info(name.encode())
            if not info or not info.contents.v_realdata:
                raise SimulatorError(f"ngspice has no vector {name!r}", self.log[-20:])
            found[name] = np.ctypeslib.as_array(info.contents.v_realdata, (info.contents.v_length,)).copy()
        return found

    def version(self) -> str:
        """Return the version as the library states it, such as "ngspice-39"."""
        self.log.clear()
        self.command("version -s")
        text = " ".join(self.log)
        return next((word for word in text.replace("*", " ").split() if word.startswith("ngspice-")), "unknown")
