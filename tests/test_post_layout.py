"""Circuits as they were drawn: differential nets, lines of an array, and measurements before and after."""

from dataclasses import asdict

import pytest

from mtjspice.circuits import catalogue as circuits
from mtjspice.circuits.technology import technology
from mtjspice.errors import InputError
from mtjspice.layout import catalogue, post
from mtjspice.layout.generate import generate
from mtjspice.layout.lines import cell_lines

DIFFERENTIAL = (
    "precharge_amplifier", "current_latched_amplifier", "strongarm", "voltage_amplifier", "read_precharge",
    "read_current_latched", "read_strongarm", "read_complementary", "meram_word8", "cim_column8", "vcma_trng4",
)  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENTIAL)
def test_differential_nodes_are_alike_within_5_percent(name: str) -> None:
    found = post.wired(generate(catalogue.circuit(name), name)).balances()
    assert found
    for pair in found:
        assert pair.difference < 0.05, pair
        assert pair.wire_difference < 0.10, pair


def test_the_word_has_a_pair_of_each_kind_in_every_column() -> None:
    found = post.wired(generate(catalogue.circuit("meram_word8"))).balances()
    for column in range(8):
        pairs = {(pair.a, pair.b) for pair in found if pair.a.startswith(f"xcolumn{column}.")}
        prefix = f"xcolumn{column}."
        assert pairs == {
            (f"{prefix}q", f"{prefix}qb"),
            (f"{prefix}sl", f"{prefix}refsl"),
            (f"{prefix}xsense.footq", f"{prefix}xsense.footqb"),
        }


def test_lines_of_the_technology_are_those_of_drawn_cells() -> None:
    known = technology("gf180mcu").wires
    assert known is not None
    drawn = asdict(cell_lines(1.2e-6, 100e-9))
    for name, value in drawn.items():
        assert getattr(known, name) == pytest.approx(value, rel=5e-3, abs=0), name


# --- simulation ----------------------------------------------------------------------------------------------


def test_what_a_layout_adds_is_what_was_extracted() -> None:
    circuit = catalogue.circuit("read_precharge")
    found = post.parasitics(circuit)
    wired = post.wired(generate(circuit))
    totals: dict[str, float] = {}
    for a, b, farad in found.capacitors:
        for node in (a, b):
            totals[node] = totals.get(node, 0.0) + farad
    for net, value in wired.totals.items():
        if net != "vss":
            assert totals[net] == pytest.approx(value, rel=1e-9, abs=0), net
    (down,) = (d for d in wired.comparison.flat.devices if d.full_name == "amplifier.downq")
    drawn = found.junctions[down.owner]["downq"]
    assert drawn[0] == pytest.approx(wired.comparison.devices[down.full_name].drain_area, rel=1e-9, abs=0)
    assert 0.2e-6 < drawn[0] / down.width < 0.9e-6  # m: between a shared and an unshared diffusion


def test_lines_with_resistance_share_the_capacitance_of_their_net() -> None:
    circuit = catalogue.circuit("meram_array", {"rows": 4, "columns": 4})
    found = post.parasitics(circuit)
    of_node = {a: farad for a, b, farad in found.capacitors if b == "vss"}
    column = [of_node["bl0"], *(of_node[f"xcolumn0.bl{row}"] for row in range(1, 4))]
    assert max(column) == pytest.approx(min(column), rel=1e-9, abs=0)
    assert all(len({a, b}) == 2 for a, b, _ in found.capacitors)


@pytest.mark.parametrize("name", ["read_precharge", "read_current_latched", "read_strongarm", "read_complementary"])
def test_every_read_path_as_drawn_decides_as_fast_within_20_percent(name: str) -> None:
    changes = {one.name: one for one in post.changes(circuits.bench(name).testbench())}
    assert 0.8 < changes["delay"].ratio < 1.2
    assert changes["difference"].after * changes["difference"].before > 0


def test_simulate_takes_the_layout_or_leaves_it() -> None:
    bench = circuits.bench("cell_1t1m").testbench()
    plain = post.simulate(bench, "cosim", parasitics="none", seed=3)
    drawn = post.simulate(bench, "cosim", parasitics="layout", seed=3)
    assert list(plain["junction"].values) == list(drawn["junction"].values)
    assert plain.attrs["deck_sha256"] != drawn.attrs["deck_sha256"]
    with pytest.raises(InputError, match="unknown parasitics 'lay'"):
        post.simulate(bench, parasitics="lay")


def test_other_technologies_have_no_layout() -> None:
    with pytest.raises(InputError, match="layouts exist in gf180mcu only, not in sky130"):
        post.post_layout(circuits.bench("cell_1t1m", technology="sky130").testbench())
