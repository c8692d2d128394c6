"""The instances of one subcircuit in a deck: where they are, what they are connected to, and another body for each.

Reads what such a search needs of SPICE's language: titles, comments, continued lines, ``.subckt``, ``X`` lines and
``.tran``. Included files are not searched. Names are compared, and returned, in lower case, as ngspice does.
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from mtjspice.errors import InputError

_SUFFIXES = {
    "t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "mil": 25.4e-6, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12,
    "f": 1e-15, "a": 1e-18,
}  # fmt: skip
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(meg|mil|[tgkmunpfa])?[a-z]*\Z", re.IGNORECASE)
_DEEPEST = 50  # levels of subcircuits


@dataclass(frozen=True)
class Instance:
    """One instance: its path (``xword.xcell0.xmtj``), the subcircuit that it calls, the full names of its nodes and its
    parameters, as written."""  # fmt: skip

    path: str
    subcircuit: str
    nodes: tuple[str, ...]
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class _Subcircuit:
    ports: tuple[str, ...]
    defaults: Mapping[str, str]
    body: tuple[str, ...]


@dataclass(frozen=True)
class Netlist:
    """A deck in parts: title, subcircuits (by name in lower case, in their order) and the lines outside them."""

    title: str
    subcircuits: Mapping[str, _Subcircuit]
    lines: tuple[str, ...]

    def text(self, extra: Sequence[str] = ()) -> str:
        """Write the deck, with the lines ``extra`` before its end."""
        parts = [self.title]
        for name, subcircuit in self.subcircuits.items():
            defaults = (f"{key}={value}" for key, value in subcircuit.defaults.items())
            parts += [" ".join([".subckt", name, *subcircuit.ports, *defaults]), *subcircuit.body, f".ends {name}"]
        return "\n".join([*parts, *self.lines, *extra, ".end", ""])


def number(text: str) -> float:
    """Read a number with SPICE's suffixes ("0.3n", "2meg"); InputError if it is none."""
    found = _NUMBER.match(text.strip())
    if found is None:
        raise InputError(f"{text!r} is not a number in a netlist")
    return float(found[1]) * _SUFFIXES.get((found[2] or "").lower(), 1.0)


def parse(deck: str) -> Netlist:
    """Take a deck (title first) apart; InputError where subcircuits are nested, unfinished or defined twice.

    Comments and ``.control`` blocks are left out, lines that go on with ``+`` are joined.
    """
    title, _, rest = deck.lstrip("\n").partition("\n")
    subcircuits: dict[str, _Subcircuit] = {}
    outside: list[str] = []
    body: list[str] = outside
    name = ""
    for line in statements(rest):
        word = line.split(None, 1)[0].lower()
        if word in (".subckt", ".subcircuit"):
            if name:
                raise InputError(f"subcircuit {name!r} holds another one; define them beside each other")
            words, defaults = split(line)
            name, ports, body = words[1].lower(), tuple(port.lower() for port in words[2:]), []
            if name in subcircuits:
                raise InputError(f"subcircuit {name!r} is defined twice")
            subcircuits[name] = _Subcircuit(ports, defaults, ())
        elif word == ".ends":
            if not name:
                raise InputError("the deck has an .ends without a .subckt")
            subcircuits[name] = _Subcircuit(subcircuits[name].ports, subcircuits[name].defaults, tuple(body))
            name, body = "", outside
        else:
            body.append(line)
    if name:
        raise InputError(f"subcircuit {name!r} has no .ends")
    return Netlist(title, subcircuits, tuple(outside))


def statements(text: str) -> Iterator[str]:
    """Yield logical lines without comments, ``.control`` blocks and ``.end``."""
    lines: list[str] = []
    control = False
    for raw in text.splitlines():
        line = re.sub(r"\s*(;|\$\s|//).*", "", raw).strip()
        lowered = line.lower()
        if lowered.startswith(".control"):
            control = True
        elif lowered.startswith(".endc"):
            control = False
        elif control or not line or line.startswith("*"):
            continue
        elif lowered == ".end":
            break
        elif line.startswith("+") and lines:
            lines[-1] += " " + line[1:].strip()
        else:
            lines.append(line)
    yield from lines


def split(line: str) -> tuple[list[str], dict[str, str]]:
    """Return the words of a line up to its parameters, and these."""
    line = re.sub(r"\bparams:\s*", "", re.sub(r"\s*=\s*", "=", line), flags=re.IGNORECASE)
    first = re.search(r"\S+=", line)
    words = (line[: first.start()] if first else line).split()
    pairs = re.findall(r"(\S+?)=(\{[^}]*\}|'[^']*'|\S+)", line[first.start() :]) if first else []
    return words, {key.lower(): value for key, value in pairs}


def instances(netlist: Netlist, *names: str) -> tuple[Instance, ...]:
    """Return all instances of the subcircuits ``names``, at any depth, in the order of the deck."""
    everywhere = {"0": "0", "gnd": "0"} | {
        word.lower(): word.lower()
        for line in netlist.lines
        if line.lower().startswith(".global")
        for word in line.split()[1:]
    }
    wanted = frozenset(name.lower() for name in names)
    return tuple(_search(netlist, wanted, netlist.lines, "", everywhere, {}, {}))


def _search(
    netlist: Netlist, wanted: Set[str], lines: Sequence[str], path: str, everywhere: Mapping[str, str],
    nodes: Mapping[str, str], given: Mapping[str, str],
) -> Iterator[Instance]:  # fmt: skip
    """Instances among ``lines`` at ``path``.

    ``everywhere`` maps ground and global nodes, ``nodes`` ports to their full names; ``given`` are parameters here.
    """
    if path.count(".") > _DEEPEST:
        raise InputError(f"subcircuits go deeper than {_DEEPEST} levels, or hold themselves: {path[:80]}...")
    for line in lines:
        if line[0] not in "xX":
            continue
        words, parameters = split(line)
        label, called = words[0].lower(), words[-1].lower()
        if called not in wanted and called not in netlist.subcircuits:
            continue
        here = f"{path}.{label}" if path else label
        connected = tuple(_full_name(node.lower(), path, everywhere, nodes) for node in words[1:-1])
        passed = {key: _resolve(value, given) for key, value in parameters.items()}
        if called in wanted:
            yield Instance(here, called, connected, passed)
            continue
        inner = netlist.subcircuits[called]
        if len(connected) != len(inner.ports):
            raise InputError(f"{here} has {len(connected)} nodes, its subcircuit {called!r} {len(inner.ports)}")
        ports = dict(zip(inner.ports, connected, strict=True))
        yield from _search(netlist, wanted, inner.body, here, everywhere, ports, {**inner.defaults, **passed})


def _full_name(node: str, path: str, everywhere: Mapping[str, str], nodes: Mapping[str, str]) -> str:
    own = f"{path}.{node}" if path else node
    return everywhere.get(node) or nodes.get(node, own)


def _resolve(value: str, given: Mapping[str, str]) -> str:
    """A parameter that only hands on another one, ``{state}``, becomes that one's value."""
    inner = value.strip("{}' ").lower()
    return given.get(inner, value)


def with_bodies(netlist: Netlist, names: Sequence[str], called: Mapping[str, str]) -> Netlist:
    """Return the netlist in which the instance of ``names`` at each path of ``called`` calls a subcircuit of its own.

    The subcircuits on the way are copied, once for each instance; paths and node names stay as they are. The
    subcircuits ``names`` themselves are dropped, and instances lose their parameters.
    """
    copies: dict[str, _Subcircuit] = {}
    wanted = frozenset(name.lower() for name in names)

    def rewritten(lines: Sequence[str], path: str) -> tuple[str, ...]:
        return tuple(rewrite(line, path) for line in lines)

    def rewrite(line: str, path: str) -> str:
        words, parameters = split(line)
        here = f"{path}.{words[0].lower()}" if path else words[0].lower()
        if line[0] not in "xX":
            return line
        if words[-1].lower() in wanted:
            return " ".join([*words[:-1], called[here]])
        if not any(other.startswith(f"{here}.") for other in called):
            return line
        inner = netlist.subcircuits[words[-1].lower()]
        copy = f"{words[-1].lower()}__{len(copies)}"
        copies[copy] = inner  # holds the place: the copies within it come after
        copies[copy] = _Subcircuit(inner.ports, inner.defaults, rewritten(inner.body, here))
        return " ".join([*words[:-1], copy, *(f"{key}={value}" for key, value in parameters.items())])

    outside = rewritten(netlist.lines, "")
    kept = {
        key: value
        for key, value in netlist.subcircuits.items()
        if key not in wanted and not _holds(netlist, key, wanted)
    }
    return Netlist(netlist.title, {**kept, **copies}, outside)


def _holds(netlist: Netlist, name: str, wanted: Set[str], depth: int = 0) -> bool:
    """Whether the subcircuit ``name`` has an instance of one of ``wanted``, at any depth."""
    for line in netlist.subcircuits[name].body:
        if line[0] in "xX":
            called = split(line)[0][-1].lower()
            if called in wanted:
                return True
            if called in netlist.subcircuits and depth < _DEEPEST and _holds(netlist, called, wanted, depth + 1):
                return True
    return False


def transient_stop(netlist: Netlist) -> float:
    """Return the stop time (s) of the one ``.tran`` line; InputError if there is none, or another."""
    found = [line.split() for line in netlist.lines if line.lower().startswith(".tran")]
    if len(found) != 1 or len(found[0]) < 3:
        raise InputError(f"the deck has {len(found)} .tran lines; it must have one, with a step and a stop time")
    stop = number(found[0][2])
    if not stop > 0:
        raise InputError(f"the stop time of the transient is {stop:g} s; it must be positive")
    return stop


def saved(netlist: Netlist) -> tuple[str, ...]:
    """Return the vectors that the deck's ``.save`` lines name."""
    return tuple(
        word.lower() for line in netlist.lines if line.lower().startswith(".save") for word in line.split()[1:]
        if word.lower() not in ("all", "none")
    )  # fmt: skip


def without(netlist: Netlist, *directives: str) -> Netlist:
    """Return the netlist without the lines outside subcircuits that start with one of ``directives``."""
    kept = tuple(line for line in netlist.lines if line.split(None, 1)[0].lower() not in directives)
    return Netlist(netlist.title, netlist.subcircuits, kept)


def with_absolute_includes(netlist: Netlist, folder: Path) -> Netlist:
    """Return the netlist whose ``.include`` and ``.lib`` lines name files absolutely; relative ones are in ``folder``.

    InputError for a file that does not exist.
    """

    def absolute(line: str) -> str:
        found = re.match(r"(?i)(\.inc(?:lude)?|\.lib)\s+(\"[^\"]+\"|'[^']+'|\S+)(.*)$", line)
        if found is None:
            return line
        path = (folder / found[2].strip("\"'")).absolute()
        if not path.is_file():
            raise InputError(f"the deck includes {found[2]}, but there is no file {path}")
        return f'{found[1]} "{path}"{found[3]}'

    return Netlist(netlist.title, netlist.subcircuits, tuple(absolute(line) for line in netlist.lines))
