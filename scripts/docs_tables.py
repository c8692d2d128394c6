"""Tables of the page of limits, made from the cards and the technologies themselves."""

from mtjspice.circuits.technology import technologies as technology_names
from mtjspice.circuits.technology import technology
from mtjspice.device.card import card_names, load_card
from mtjspice.reports.cards import describe, parameter_rows


def assumed() -> str:
    """Every assumed value of every card, a section a card."""
    pieces = []
    for name in card_names():
        shown = describe(name, 300.0)
        rows = [row for row in parameter_rows(shown) if row[2] == "assumed"]
        pieces.append(f"**{name}**, {len(rows)} of {len(parameter_rows(shown))} values\n")
        pieces.append("| parameter | value | why |\n| --- | --- | --- |")
        pieces += [f"| `{key}` | {value} | {source} |" for key, value, _, source in rows]
        pieces.append("")
    return "\n".join(pieces)


def discs() -> str:
    """Rows: diameter and thickness of the free layer of every card."""
    cards = [load_card(name) for name in card_names()]
    return "\n".join(f"| `{c.name}` | {c.diameter * 1e9:g} nm | {c.free_layer_thickness * 1e9:g} nm |" for c in cards)


def technologies() -> str:
    """What each technology has: supply, corners, mismatch, process variation, wires."""
    pieces = ["| technology | supply | corners | mismatch | process variation | lines of arrays |"]
    pieces.append("| --- | --- | --- | --- | --- | --- |")
    for name in technology_names():
        one = technology(name)
        pieces.append(
            f"| `{name}` | {one.supply_voltage:g} V | {', '.join(one.corners)} | {'yes' if one.mismatch else 'none'} | "
            f"{'yes' if one.process else 'none'} | {'drawn' if one.wires else 'assumed'} |"
        )
    return "\n".join(pieces)
