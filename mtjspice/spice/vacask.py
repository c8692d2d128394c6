"""Run one netlist in VACASK, an independent second simulator for the Verilog-A model."""

import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mtjspice.errors import SimulatorError
from mtjspice.spice.batch import DEFAULT_TIME_LIMIT, LOG_LINES, BatchResult, cause, fetch, link_models, run_process
from mtjspice.spice.engines import find_vacask

_CAUSES = (
    (re.compile(r"^.*(?:failed to (?:open|load)|cannot open|not found|OSDI version).*$", re.M | re.I), "VACASK"),
    (re.compile(r"^.*(?:time ?step too small|timestep).*$", re.M | re.I), "the transient broke down"),
    (re.compile(r"^.*(?:failed|error|unknown|invalid|not (?:defined|supported)).*$", re.M | re.I), "VACASK"),
)


def run_vacask(
    netlist: str,
    *,
    stop: float | None,
    vectors: Sequence[str],
    osdi: Sequence[Path] = (),
    time_limit: float = DEFAULT_TIME_LIMIT,
) -> BatchResult:
    """Run a netlist (title first, with a ``control`` block of one analysis) and return ``vectors`` of it.

    ``stop`` (s) is the end of a transient, None for another analysis. ``load`` lines for the compiled models
    ``osdi`` are added. Raises SimulatorError (with the last lines of the log) where the run fails.
    """
    with TemporaryDirectory(prefix="mtjspice-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        title, _, rest = netlist.lstrip("\n").partition("\n")
        loads = "".join(f'load "{name}"\n' for name in link_models(folder, osdi))
        (folder / "netlist.sim").write_text(f"{title}\n{loads}{rest}\n", encoding="utf-8")
        command = [str(find_vacask()), "--quiet-progress", "--ncpu", "1", "--blas-ncpu", "1", "netlist.sim"]
        code, log = run_process(command, folder, time_limit, "VACASK")
        lines = tuple(log.splitlines())
        known = cause(log, _CAUSES)
        if code < 0:
            raise SimulatorError(f"VACASK crashed (signal {-code}){f': {known}' if known else ''}", lines[-LOG_LINES:])
        outputs = sorted(folder.glob("*.raw"))
        if len(outputs) != 1:
            message = f"VACASK wrote {len(outputs)} raw files instead of one"
            raise SimulatorError(known or message, lines[-LOG_LINES:])
        return BatchResult(fetch(outputs[0], vectors, stop, log, known), lines, "VACASK")
