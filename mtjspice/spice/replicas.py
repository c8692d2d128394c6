"""Run one deck many times, with other parameters: copies of the whole circuit in one netlist, which share time steps.

The deck's elements become the body of a subcircuit, the parameters that are varied its parameters; each copy is an
instance with values of its own. Names inside a subcircuit are local to it, in expressions and controlled sources too.
A time step then costs hardly more than the arithmetic of the devices.
"""

import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mtjspice.errors import InputError, SimulatorError
from mtjspice.spice.batch import DEFAULT_TIME_LIMIT, fetch, run_process
from mtjspice.spice.many import (
    Task,
    alone,
    apart,
    check_engine,
    defined_parameters,
    find_engine,
    grouped,
    in_order,
)
from mtjspice.spice.netlist import Netlist, parse, split, statements
from mtjspice.spice.runs import Run, Status, Variant, suspicion
from mtjspice.spice.text import number

COPIES = 64  # more are not faster, and a failure among them costs more
_COPY = "mtjspice_copy"
_DROPPED = (".save", ".print", ".plot", ".probe", ".width", ".four", ".meas", ".measure", ".global", ".title")
_MOVED = (".ic", ".nodeset")
_INCLUDES = (".include", ".inc", ".lib")
_SHARED = (*_INCLUDES, ".option", ".options", ".opt", ".temp", ".tran", ".func")
_PAIR = re.compile(r"([a-z_]\w*)\s*=\s*(\{[^{}]*\}|'[^']*'|[^\s{}'=]+)(?!\s*[-+*/(^{])", re.I)
_WORD = re.compile(r"(?<![\w.])[a-z_]\w*")
_DRAW = re.compile(r"\b(?:a?gauss|a?unif)\s*\(", re.I)
_INNER_DEVICE = re.compile(r"\bi\(\s*\w+\.|^[fhw]\S*(?:\s+\S+){2}\s+\w+\.", re.I)


def run_replicas(
    deck: str,
    variants: Iterable[Variant],
    *,
    stop: float,
    vectors: Sequence[str],
    workers: int = 1,
    copies: int = COPIES,
    ngspice: Path | None = None,
    time_limit: float = DEFAULT_TIME_LIMIT,
    progress: Callable[[int], None] = lambda done: None,
) -> Iterator[Run]:
    """Run the transient of ``deck`` for every variant, ``copies`` of them in one netlist; yield the runs in order.

    Arguments and results are those of `many.run_many`. Copies share their time steps, which are the shortest that one
    of them needs: results agree with those of `run_many` within the simulator's tolerances, not to the last bit, and
    ``time`` is one array for all of a netlist. Copies that set different parameters go into different netlists.

    Where a netlist fails (diverges, dies, exceeds the time limit (s), which holds for it as for one run), its copies
    are halved until the failing one is alone, and run as `run_many` does; so is a copy with a suspicious log. Global
    nodes become nodes of each copy. The deck's own ``.save``, ``.print`` and ``.meas`` lines are left out.

    Raises InputError for what copies cannot stand for: seeds and random draws, external sources, another analysis
    than one ``.tran``, included files with elements outside subcircuits, a line that all copies share but that depends
    on a varied parameter.
    """
    if copies < 1 or workers < 1:
        raise InputError(f"copies = {copies} and workers = {workers} must be at least 1")
    parts = _take_apart(deck)
    for vector in vectors:  # refuses what has no name in a copy
        _inside(vector, "x0")
    task = Task(deck, stop, tuple(vectors), find_engine(ngspice), time_limit)
    groups = grouped(variants, copies, defined_parameters(deck))
    return in_order(groups, lambda some: apart(some, lambda alike: _run_copies(task, parts, alike)), workers, progress)


@dataclass(frozen=True)
class _Parts:
    """A deck: its subcircuits, what goes into each copy, parameters and models outside, what the copies share."""

    netlist: Netlist
    body: tuple[str, ...]
    parameters: Mapping[str, str]
    models: tuple[str, ...]
    shared: tuple[str, ...]
    included: tuple[str, ...]  # lines of included files outside subcircuits


def _take_apart(deck: str) -> _Parts:
    """Sort the lines of a deck; InputError for one that copies cannot have."""
    if re.search(r"^\s*\.control\b", deck, re.M | re.I):
        raise InputError("a deck for copies brings no .control block of its own")
    netlist = parse(deck)
    own = [*netlist.lines, *(line for one in netlist.subcircuits.values() for line in one.body)]
    for line in own:
        if _DRAW.search(line):
            raise _refused(line, "draws at random")
        if line[0] in "vViI" and re.search(r"\sexternal\b", line, re.I):
            raise _refused(line, "is an external source")
    if _COPY in netlist.subcircuits:
        raise InputError(f"the name {_COPY} of a subcircuit is taken")
    everywhere = [word.lower() for line in _with(netlist, ".global") for word in line.split()[1:]]
    text, included = _included(netlist)
    for node in everywhere:
        if re.search(rf"(?<!\w){re.escape(node)}(?!\w)", text):
            raise InputError(f"an included file names the global node {node!r}, of which every copy needs its own")
    netlist = _globals_as_ports(netlist, everywhere)
    body, models, shared = [], [], []
    parameters: dict[str, str] = {}
    for line in netlist.lines:
        word = line.split(None, 1)[0].lower()
        if word[0].isalpha() and _INNER_DEVICE.search(line):
            raise _refused(line, "names a device inside a subcircuit")
        if word[0].isalpha() or word in _MOVED:
            body.append(line)
        elif word == ".model":
            models.append(line)
        elif word == ".param":
            if _PAIR.sub("", line.split(None, 1)[1]).strip(" ,"):
                raise _refused(line, "defines more than name = {expression}")
            parameters |= {key.lower(): value for key, value in _PAIR.findall(line)}
        elif word in _SHARED:
            shared.append(line)
        elif word not in _DROPPED:
            raise _refused(line, "is nothing that copies can have")
    if len(_with(netlist, ".tran")) != 1:
        raise InputError(f"a deck for copies has one .tran line, this one {len(_with(netlist, '.tran'))}")
    return _Parts(netlist, tuple(body), parameters, tuple(models), tuple(shared), included)


def _refused(line: str, why: str) -> InputError:
    return InputError(f"copies of a deck cannot have the line {line[:80]!r}: it {why}; use run_many")


def _with(netlist: Netlist, directive: str) -> list[str]:
    return [line for line in netlist.lines if line.split(None, 1)[0].lower() == directive]


def _included(netlist: Netlist) -> tuple[str, tuple[str, ...]]:
    """The text, in lower case, of all files that a deck includes, and its lines outside subcircuits."""
    text, outside, seen = "", [], set()
    waiting = [(Path(), line) for line in (*netlist.lines, *(x for s in netlist.subcircuits.values() for x in s.body))]
    while waiting:
        folder, line = waiting.pop()
        found = re.match(r"(?i)\.(?:inc(?:lude)?|lib)\s+(\"[^\"]+\"|'[^']+'|\S+)", line)
        path = (folder / found[1].strip("\"'")) if found else folder
        if path in seen or not path.is_file():  # a section of a library; ngspice tells of a missing file
            continue
        seen.add(path)
        depth = 0
        for inner in statements(path.read_text(encoding="utf-8", errors="replace").lower()):
            text += inner + "\n"
            depth += inner.startswith(".subckt") - inner.startswith(".ends")
            if inner.startswith(_INCLUDES):
                waiting.append((path.parent, inner))
            elif not depth and (inner[0].isalpha() or inner.startswith(".global")):
                raise InputError(f"{path} has {inner[:60]!r} outside subcircuits, of which every copy needs its own")
            elif not depth:
                outside.append(inner)
    return text, tuple(outside)


def _globals_as_ports(netlist: Netlist, names: Sequence[str]) -> Netlist:
    """Hand the global nodes down to all subcircuits as ports: every copy has nodes of its own."""
    added = {key: [name for name in names if name not in one.ports] for key, one in netlist.subcircuits.items()}

    def handed(line: str) -> str:
        if not names or line[0] not in "xX":
            return line
        words, values = split(line)
        ports = added.get(words[-1].lower(), [])
        return " ".join([*words[:-1], *ports, words[-1], *(f"{key}={value}" for key, value in values.items())])

    subcircuits = {
        key: replace(one, ports=(*one.ports, *added[key]), body=tuple(map(handed, one.body)))
        for key, one in netlist.subcircuits.items()
    }
    return Netlist(netlist.title, subcircuits, tuple(map(handed, netlist.lines)))


def _used(line: str) -> frozenset[str]:
    """Names that the values of a line may use."""
    if line.lower().startswith(_INCLUDES):
        return frozenset()
    everything = line.lower().startswith((".tran", ".temp", ".func"))
    values = [line] if everything else re.findall(r"\{[^{}]*\}|'[^']*'|=\s*[^\s={']+", line)
    return frozenset(_WORD.findall(" ".join(values).lower()))


def _depending(parts: _Parts, varied: frozenset[str]) -> frozenset[str]:
    """Names of the parameters and functions that depend on the varied ones, and these."""
    names = {name: frozenset(_WORD.findall(value.lower())) for name, value in parts.parameters.items()}
    for line in (*parts.shared, *parts.included):
        function = re.match(r"(?i)\.func\s+(\w+)\s*\(", line)
        if function:
            names[function[1].lower()] = _used(line)
    found = varied
    while more := {name for name, used in names.items() if name not in found and used & found}:
        found |= more
    return found


def _netlist(parts: _Parts, variants: Sequence[Variant], vectors: Sequence[str]) -> str:
    """The deck of copies for variants that set the same parameters; ``vectors`` are those of all copies."""
    varied = tuple(variants[0].parameters)
    moved = _depending(parts, frozenset(varied))
    for line in (*parts.shared, *parts.included):
        if _used(line) & moved and not line.lower().startswith(".func"):
            raise _refused(line, f"depends on {', '.join(sorted(_used(line) & moved))}, and is one line for all copies")
    own = [line for line in parts.models if _used(line) & moved]
    # a model is seen in the subcircuit in which it is, not in those called there
    subcircuits = {
        key: replace(one, body=(*(line for line in own if _names(one.body, line.split()[1])), *one.body))
        for key, one in parts.netlist.subcircuits.items()
    }
    lines = [
        *parts.shared,
        *(line for line in parts.models if line not in own),
        *(f".param {name}={value}" for name, value in parts.parameters.items()),
        " ".join([".subckt", _COPY, *(f"{name}=0" for name in varied)]),
        *(f".param {name}={parts.parameters[name]}" for name in parts.parameters if name in moved.difference(varied)),
        *own,
        *parts.body,
        ".ends",
        *(
            " ".join([f"X{k}", _COPY, *(f"{name}={number(variant.parameters[name])}" for name in varied)])
            for k, variant in enumerate(variants)
        ),
    ]
    save = [f"save {' '.join(vectors[k : k + 50])}" for k in range(0, len(vectors), 50)]
    control = [".control", "set num_threads=1", "set filetype=binary", *save, "run", "write all.raw", "quit 0", ".endc"]
    return Netlist(parts.netlist.title, subcircuits, tuple(lines)).text(control)


def _names(body: Iterable[str], name: str) -> bool:
    return any(name.lower() in line.lower().split() for line in body)


def _inside(vector: str, copy: str) -> str:
    """The name that a vector of the deck has in a copy; InputError for an expression."""
    lower = vector.strip().lower()
    found = re.fullmatch(r"(v|i)\(([^\s(),]+)\)|(@)([^\s\[\]]+)(\[\w+\])|([^\s(),@]+)", lower)
    if found is None:
        raise InputError(
            f"{vector!r} has no name in a copy; allowed: v(node), i(device), @device[value], device#branch"
        )
    if lower == "time":
        return lower
    name = found[2] or found[4] or found[6]
    if found[1] == "i" or found[3] or "#" in name:  # a device's path begins with its letter
        path = name[2:] if name[1:2] == "." else name
        name = f"{name[0]}.{copy}.{path}"
    else:
        name = f"{copy}.{name}"
    return f"{found[1]}({name})" if found[1] else f"@{name}{found[5]}" if found[3] else name


def _run_copies(task: Task, parts: _Parts, variants: Sequence[Variant]) -> list[Run]:
    """Run variants in one netlist; where this fails, in two of half the size, and one that is left alone."""
    if variants[0].seed is not None:
        raise InputError(f"copies of a deck take no seed (got {variants[0].seed}): draws would differ; use run_many")
    half = len(variants) // 2
    if not half:
        return [alone(task, variant) for variant in variants]
    return _run_together(task, parts, variants) or [
        *_run_copies(task, parts, variants[:half]), *_run_copies(task, parts, variants[half:])
    ]  # fmt: skip


def _run_together(task: Task, parts: _Parts, variants: Sequence[Variant]) -> list[Run]:
    """The runs of one netlist; none if not all of them arrived, or one is suspicious."""
    inner = [{vector.lower(): _inside(vector, f"x{k}") for vector in task.vectors} for k in range(len(variants))]
    vectors = list(dict.fromkeys(name for names in inner for name in names.values()))
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="mtjspice-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        (folder / "deck.cir").write_text(_netlist(parts, variants, vectors), encoding="utf-8")
        try:
            _, log = run_process([str(task.engine), "-n", "-b", "deck.cir"], folder, task.time_limit, "ngspice")
            found = fetch(folder / "all.raw", vectors, task.stop, log, "")
        except SimulatorError:
            check_engine(task.engine)
            return []
    if suspicion(found, log):
        return []
    seconds = (time.perf_counter() - begin) / len(variants)
    return [
        Run(
            variant,
            Status.OK,
            {"time": found["time"]} | {vector: found[name] for vector, name in names.items()},
            seconds=seconds,
        )
        for variant, names in zip(variants, inner, strict=True)
    ]
