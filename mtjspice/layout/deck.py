"""The whole public rule deck of gf180mcu, run without a display by the application KLayout.

The application is named by ``MTJSPICE_KLAYOUT``, or on PATH, or a private one: on Debian and its derivatives apt
downloads KLayout with every library that it needs into the cache folder; nothing is installed.

Environment: ``MTJSPICE_KLAYOUT`` names the application, ``MTJSPICE_DEBIAN_MIRROR`` a mirror (`mtjspice.debian`).
"""

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from mtjspice import debian, resources
from mtjspice.cache import cache_folder
from mtjspice.errors import InputError, SimulatorError
from mtjspice.layout.drc import Violation
from mtjspice.layout.require import klayout_db
from mtjspice.programs import run_program
from mtjspice.spice.engines import Tool

KLAYOUT_VARIABLE = "MTJSPICE_KLAYOUT"
INSTALL_COMMAND = "mtjspice doctor --install klayout"

DECK = "models/pdk/gf180mcu/drc/gf180mcu.drc"
FEWEST_CATEGORIES = 600  # the deck reports on 684 rules; a report on fewer is of a run that did not come to its end
TIME_LIMIT = 1800.0  # s; a word of eight bits takes 5 s

_LOG_LINES = 20
# At each of its rules the deck asks pmap, which need not be there, for the memory in use: nine tenths of the run time.
_MEMORY = "`pmap #{Process.pid} | tail -1`[10,40].strip"
_PROBE_LIMIT = 60.0  # s to tell the version, which takes 0.2 s
_WASTE = (
    "usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/icons", "usr/share/fonts", "usr/share/perl",
    "usr/lib/*/dri", "usr/lib/*/libLLVM*", "usr/lib/*/libgallium*", "usr/lib/*/libz3*",  # for a display
)  # fmt: skip
_WRAPPER = """\
#!/bin/sh
# KLayout on the libraries that were downloaded with it
here='{root}'
RUBYLIB="{ruby}" PYTHONHOME="$here/usr" QT_PLUGIN_PATH="{plugins}" QT_QPA_PLATFORM=offscreen
export RUBYLIB PYTHONHOME QT_PLUGIN_PATH QT_QPA_PLATFORM
exec "$here/{loader}" --library-path "{libraries}" "$here/usr/lib/klayout/klayout" "$@"
"""


def run_deck(
    gds: Path, cell: str, program: Path | None = None, time_limit: float = TIME_LIMIT
) -> tuple[Violation, ...]:
    """Check a cell of a GDS file against the deck for five metals; returns what it reports, empty for a clean cell.

    ``program`` is the application KLayout (default: what `find_klayout` finds). Rules are named as in
    `mtjspice.layout.rules`. InputError for a file without such a cell; SimulatorError, with the last lines that were
    printed, where the application is missing, fails, exceeds ``time_limit`` (s) or writes no complete report.
    """
    _check_cell(gds, cell)
    program = program or find_klayout()
    with tempfile.TemporaryDirectory(prefix="mtjspice-") as temporary:
        folder = Path(temporary)
        script, report = folder / "deck.drc", folder / "report.lyrdb"
        with resources.as_path(DECK) as deck:
            script.write_text(deck.read_text(encoding="utf-8").replace(_MEMORY, '"-"'), encoding="utf-8")
        values = {
            "input": gds.absolute(), "topcell": cell, "report": report,
            "thr": 1, "run_mode": "flat", "metal_level": "5LM",
        }  # fmt: skip
        options = [part for name, value in values.items() for part in ("-rd", f"{name}={value}")]
        # the settings of a user, and plug-ins, have no part in this
        environment = {"QT_QPA_PLATFORM": "offscreen", "KLAYOUT_HOME": str(folder), "LC_ALL": "C.UTF-8"}
        code, printed = run_program(
            [str(program), "-b", "-zz", "-r", str(script), *options], time_limit, environment, folder
        )
        log = printed.splitlines()[-_LOG_LINES:]
        if code:
            raise SimulatorError(f"the rule deck failed: {program} ended with exit code {code}{_reason(printed)}", log)
        if not report.is_file():
            raise SimulatorError(f"the rule deck failed: {program} wrote no report", log)
        return _read(report, cell, log)


def _check_cell(gds: Path, cell: str) -> None:
    """Refuse a file that cannot be read or has no such cell, before the application is asked."""
    if not gds.is_file():
        raise InputError(f"there is no layout file {gds}")
    layout = klayout_db().Layout()
    try:
        layout.read(str(gds))
    except RuntimeError as error:
        raise InputError(f"{gds} is no layout file: {error}") from None
    if not layout.has_cell(cell):
        raise InputError(f"{gds} has no cell {cell!r}; its top cells: {', '.join(c.name for c in layout.top_cells())}")


def _reason(printed: str) -> str:
    errors = [line for line in printed.splitlines() if line.startswith("ERROR")]
    return f" ({errors[0]})" if errors else ""


def _read(report: Path, cell: str, log: list[str]) -> tuple[Violation, ...]:
    """Read a report; SimulatorError for one that is broken or does not name the rules of the whole deck."""
    import klayout.rdb as rdb

    database = rdb.ReportDatabase("deck")
    try:
        database.load(str(report))
    except RuntimeError as error:
        raise SimulatorError(f"the rule deck failed: its report cannot be read: {error}", log) from None
    categories = list(database.each_category())
    if len(categories) < FEWEST_CATEGORIES:
        raise SimulatorError(
            f"the rule deck failed: its report has {len(categories)} rules, not {FEWEST_CATEGORIES} or more", log
        )
    found = []
    for category in categories:
        rule = _rule_name(category.name())
        text = category.description.partition(" : ")[2] or category.description
        for item in category.each_item():
            found.append(Violation(rule, text, _box(item)))
    return tuple(found)


def _rule_name(category: str) -> str:
    """Return the name in `mtjspice.layout.rules` of a rule of the deck."""
    if category.endswith("_OFFGRID"):
        return "OFFGRID"
    if category.endswith("_angle"):
        return "ACUTE"
    return re.sub(r"_3\.3V$", "", category)


def _box(item: Any) -> tuple[float, float, float, float]:
    """Return what the shapes of an item span, in um."""
    kdb = klayout_db()
    span = kdb.DBox()
    for value in item.each_value():
        for kind in ("polygon", "edge_pair", "edge", "box", "path"):
            if getattr(value, f"is_{kind}")():
                span += getattr(value, kind)().bbox() if kind != "box" else value.box()
    return span.left, span.bottom, span.right, span.top


# --- the application -------------------------------------------------------------------------------------------


def find_klayout() -> Path:
    """Return the application: ``MTJSPICE_KLAYOUT`` if set, else from PATH, else the private one.

    Raises SimulatorError with the command that installs one.
    """
    asked = os.environ.get(KLAYOUT_VARIABLE)
    found = shutil.which(asked or "klayout")
    if found is not None:
        return Path(found).absolute()
    if asked:
        raise SimulatorError(f"{KLAYOUT_VARIABLE} is {asked!r}, which is no executable file")
    if private_klayout().is_file():
        return private_klayout()
    raise SimulatorError(
        f"the application KLayout was not found, which runs the rule deck; install one with: {INSTALL_COMMAND}"
    )


def private_klayout() -> Path:
    """Return where the private KLayout is, or would be."""
    return cache_folder() / f"klayout-{debian.RELEASE}" / "klayout"


def klayout_tool() -> Tool:
    """Return what `find_klayout` finds, for a survey of tools."""
    try:
        path = find_klayout()
    except SimulatorError as error:
        return Tool("KLayout", None, None, {}, str(error))
    version = _version(path)
    hint = None if version else f"{path} does not tell its version; install one with: {INSTALL_COMMAND}"
    return Tool("KLayout", str(path), version, {}, hint)


def install_klayout() -> Path:
    """Download KLayout into the cache folder and return its executable; at once if it is there.

    Raises SimulatorError where apt is missing, no Debian mirror is known or the download fails, InputError where the
    cache folder cannot be written to.
    """
    executable = private_klayout()
    if executable.is_file() and _version(executable):
        return executable
    debian.require_tools("the private KLayout", f"install KLayout and set {KLAYOUT_VARIABLE} to the executable")
    debian.install("klayout", executable, _runs, _finish)
    if not _version(executable):
        raise SimulatorError(f"the downloaded KLayout does not run on this machine: {executable}")
    return executable


def _version(program: Path) -> str | None:
    try:
        _, printed = run_program([str(program), "-zz", "-b", "-v"], _PROBE_LIMIT, {"QT_QPA_PLATFORM": "offscreen"})
    except SimulatorError:
        return None
    found = re.search(r"KLayout (\d\S*)", printed)
    return found[1] if found else None


def _runs(program: Path) -> bool:
    return _version(program) is not None


def _finish(root: Path, executable: Path) -> None:
    """Remove what is not needed to run and write the start script beside ``root``."""
    for waste in _WASTE:
        for path in root.glob(waste):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
    loaders = sorted(root.glob("usr/lib*/**/ld-linux*.so.*"))
    if not loaders:
        raise SimulatorError("the downloaded packages hold no loader")

    def paths(folders: set[Path]) -> str:
        return ":".join(
            f"$here/{path.relative_to(root)}" for path in sorted(folders, key=lambda path: (len(path.parts), path))
        )

    ruby = {path.parent for path in root.glob("usr/lib/**/rbconfig.rb")}
    ruby |= {path.parent for path in root.glob("usr/lib/ruby/*/logger.rb")} | {root / "usr/lib/ruby/vendor_ruby"}
    script = root.parent / executable.name
    script.write_text(
        _WRAPPER.format(
            root=executable.parent / "root",
            loader=loaders[0].relative_to(root),
            libraries=paths({path.parent for path in root.glob("usr/lib/**/*.so*")}),
            ruby=paths(ruby),
            plugins=paths(set(root.glob("usr/lib/*/qt5/plugins"))),
        ),
        encoding="utf-8",
    )
    script.chmod(0o755)
