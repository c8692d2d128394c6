"""Attacks on sources: the algebra on bits that may be wrong, without images and without torch."""

import csv
import json
from collections.abc import Callable
from math import comb, log
from pathlib import Path

import numpy as np
import pytest

from mtjspice.bits.sources import primitive
from mtjspice.bits.sources.lfsr import LfsrSource
from mtjspice.errors import InputError
from mtjspice.generative.attack import brute_force, prediction
from mtjspice.generative.attack.decoding import decode, log_chance
from mtjspice.generative.attack.equations import Register, SoftBits, parities
from mtjspice.generative.attack.inversion import Inversion
from mtjspice.generative.attack.measures import Measures, rank_correlations, state_bits
from mtjspice.generative.attack.observed import Channel
from mtjspice.generative.attack.outcome import Effort
from mtjspice.generative.attack.recovery import public_register, recover_stream
from mtjspice.generative.attack.study import study
from mtjspice.generative.attack.victim import Plan, Victim
from mtjspice.generative.attack.words import estimated_bits, exact_bits, known_bits, latents_of
from mtjspice.generative.gaussian import quantiles
from mtjspice.reports import attack as report


def signs(
    length: int, count: int, error: float, seed: int, taps: tuple[int, ...] | None = None
) -> tuple[int, SoftBits]:
    """State and noisy sign bits (each eighth bit) of a register."""
    source = LfsrSource(length, seed, taps=taps)
    rng = np.random.default_rng([seed, length])
    positions = np.arange(0, 8 * count, 8)
    values = source.stream(8 * count).bits()[positions] ^ (rng.random(count) < error)
    state = int(str(source.provenance["state"]), 16)
    return state, SoftBits(positions, values.astype(np.uint8), np.full(count, error))


# --- equations -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "taps"), [(5, None), (16, None), (16, (16, 15, 13, 4)), (64, None), (64, (64, 63, 61, 60))]
)
@pytest.mark.parametrize("form", ["fibonacci", "galois"])
def test_equations_give_the_outputs_of_the_source(length: int, taps: tuple[int, ...] | None, form: str) -> None:
    source = LfsrSource(length, 3, taps=taps, form=form)
    bits = source.stream(1000).bits()
    register = Register(taps or primitive.taps(length))
    state = sum(int(bit) << k for k, bit in enumerate(bits[:length]))
    assert (parities(register.equations(np.arange(1000)), state) == bits).all()
    assert (register.outputs(state, 0, 1000) == bits).all()
    later = sum(int(bit) << k for k, bit in enumerate(bits[500 : 500 + length]))
    assert (register.outputs(later, -500, 1000) == bits).all()  # it runs backwards


def test_registers_that_are_none() -> None:
    for taps in ((), (70, 1), (5, 5, 1), (4, 0), (1,)):
        with pytest.raises(InputError, match="taps"):
            Register(taps)
    assert public_register("pcg64") is None
    assert public_register("lfsr:16,taps=16.15.13.4") == Register((16, 15, 13, 4))
    with pytest.raises(InputError, match="numbers"):
        public_register("lfsr:16,taps=a.b")


# --- decoding ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "count", "error", "taps"),
    [
        (12, 100, 0.15, None),
        (16, 100, 0.08, (16, 15, 13, 4)),
        (32, 400, 0.15, None),
        (64, 400, 0.05, None),
        (64, 800, 0.05, (64, 63, 61, 60)),
    ],
)
def test_a_state_is_found_in_noisy_signs(length: int, count: int, error: float, taps: tuple[int, ...] | None) -> None:
    # a set is free of errors with (1 - error)^length: 3.7 % (64, 5 %), 0.55 % (32, 15 %); 20 000 tries miss it with
    # exp(-110) at most. Below 25 errors of 100 the states of 12 stages are certain, which 10 % have at random: 9 of 10
    found = [0, 0]
    for seed in range(10):
        state, soft = signs(length, count, error, seed, taps)
        decoded = decode(Register(taps or primitive.taps(length)), soft, np.random.default_rng(seed))
        assert decoded is not None
        found[0] += decoded.found and decoded.state == state
        found[1] += decoded.found and decoded.state != state
    assert found[1] == 0
    assert found[0] >= (9 if length > 16 else 7)


@pytest.mark.parametrize("length", [8, 16, 32, 64])
def test_no_state_is_found_in_random_signs(length: int) -> None:
    # each false with a probability below 1e-6: 25 of four lengths, 1e-4
    rng = np.random.default_rng(length)
    register = Register(primitive.taps(length))
    for _ in range(25):
        values = rng.integers(0, 2, 200).astype(np.uint8)
        decoded = decode(register, SoftBits(np.arange(0, 1600, 8), values, rng.uniform(0, 0.5, 200)), rng, 500)
        assert decoded is None or not decoded.found
        assert decoded is None or decoded.agreement < 0.9


def test_reliable_bits_are_used_first() -> None:
    # a third of the bits is random, and known to be so
    state, soft = signs(48, 240, 0.0, 4)
    rng = np.random.default_rng(1)
    wrong = np.where(rng.random(240) < 1 / 3, 0.5, 0.001)
    values = np.where(wrong == 0.5, rng.integers(0, 2, 240), soft.values).astype(np.uint8)
    decoded = decode(Register(primitive.taps(48)), SoftBits(soft.positions, values, wrong), rng, 256)
    assert decoded is not None
    assert decoded.found
    assert decoded.state == state
    assert decoded.tries == 1


def test_too_few_equations_are_no_answer() -> None:
    _, soft = signs(32, 20, 0.0, 1)
    assert decode(Register(primitive.taps(32)), soft, np.random.default_rng(1)) is None
    # 40 equations fix 32 bits, but 8 spare ones make nobody sure
    _, soft = signs(32, 40, 0.0, 1)
    decoded = decode(Register(primitive.taps(32)), soft, np.random.default_rng(1), 100)
    assert decoded is not None
    assert decoded.right == 40
    assert not decoded.found


@pytest.mark.parametrize(("m", "right"), [(50, 40), (100, 88), (400, 260), (64, 64)])
def test_chernoff_bounds_the_binomial_tail(m: int, right: int) -> None:
    tail = log(sum(comb(m, k) for k in range(right, m + 1))) - m * log(2)
    bound = log_chance(np.ones(m), 2.0 * right - m)
    assert tail <= bound + 1e-9 < tail + 3.5  # no more than a factor sqrt(2 pi m) / 2 too large
    assert log_chance(np.ones(m), -1.0) == 0


# --- words ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [1, 5, 8, 16, 18])
def test_numbers_tell_their_bits(word: int) -> None:
    victim = Victim.of(Plan.parse("pcg64"), 3, 20, word, 7)
    assert victim.bits.size == 60 * word
    assert (latents_of(victim.bits, word, 20) == victim.latents).all()
    table = quantiles(min(word, 16))
    assert exact_bits(table, min(word, 16)).reshape(-1, min(word, 16))[-1].all()


def test_other_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="no quantile of 8 bits"):
        exact_bits(np.array([0.1234]), 8)


@pytest.mark.parametrize("error", [0.002, 0.02, 0.2])
def test_doubts_about_estimated_bits_are_right(error: float) -> None:
    rng = np.random.default_rng(3)
    misread, expected, sure = 0, 0.0, 0
    for number in range(8):
        victim = Victim.of(Plan.parse("pcg64"), 1, 100, 8, number)
        noise = error * rng.standard_normal(100)
        soft = estimated_bits(Inversion(victim.latents[0] + noise, np.eye(100) / error**2, 0.0, 1, 1), 8)
        wrong = soft.values != victim.bits
        misread, expected = misread + int(wrong.sum()), expected + float(soft.wrong.sum())
        sure += int(wrong[soft.wrong < 1e-3].sum())
    # 6400 bits; errors are taken 1.5 times as large as they are, so doubts are too large, not too small
    assert misread <= expected + 4 * expected**0.5 + 3
    assert expected < 0.45 * 6400
    assert sure <= 10


def test_correlated_errors_are_rounded_away() -> None:
    # numbers 0 and 1 are known to 0.02 each, their difference to 0.0002: alone they would often be misread
    victim = Victim.of(Plan.parse("pcg64"), 1, 100, 8, 2)
    rng = np.random.default_rng(5)
    common = np.ones(100)
    precision = (np.eye(100) - np.outer(common, common) / (100 + 1e-4)) / 0.0005**2
    estimate = victim.latents[0] + 0.05 * rng.standard_normal() * common + 0.0005 * rng.standard_normal(100)
    soft = estimated_bits(Inversion(estimate, precision, 0.0, 1, 1), 8)
    alone = np.abs(quantiles(8)[None] - estimate[:, None]).argmin(axis=1)
    bits_alone = ((alone[:, None] >> np.arange(7, -1, -1)) & 1).ravel()
    assert (bits_alone != victim.bits).sum() > 20
    assert (soft.values != victim.bits).sum() == 0


# --- what is found -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "images", "says"),
    [
        ("lfsr:16", 1, "16 stages"),
        ("lfsr:40,taps=40.37.36.35", 1, "40 stages"),
        ("lfsr:64,taps=64.63.61.60", 1, "64 stages"),
        ("lfsr:100", 1, "LFSR of 100 stages"),
        ("lfsr:20+xor:3", 1, "20 stages"),
        ("lcg:minstd", 1, "minstd"),
        ("mt19937", 26, "Mersenne"),
    ],
)
def test_sources_behind_known_numbers(text: str, images: int, says: str) -> None:
    plan = Plan.parse(text)
    outcome = study({text: plan}, Effort((images,), 2), ["words"], latent_size=100, seed=5)
    trial = outcome.trials[0]
    assert says in trial.found
    assert trial.right == trial.bits == 1600
    assert trial.misread == 0


def test_one_image_less_is_too_few_for_the_twister() -> None:
    trial = study({"mt": Plan.parse("mt19937")}, Effort((25,), 2), ["words"], latent_size=100).trials[0]
    assert trial.found == ""
    assert trial.predicted.low < 0.5 < trial.predicted.high


@pytest.mark.parametrize("text", ["pcg64", "chacha20", "emulated:fair", "emulated:fair,p=0.6+xor:3"])
def test_attacks_that_fail_guess_at_chance(text: str) -> None:
    outcome = study({text: Plan.parse(text)}, Effort((2,), 10), ["words"], latent_size=100, seed=3)
    for trial in outcome.trials:
        assert trial.found == ""
        # 8000 bits: 4 sigma are 2.2 %; XOR3 of p = 0.6 leaves 0.4 %
        assert abs(trial.predicted.value - 0.5) < 0.027


def test_a_register_of_unknown_taps_is_found_in_spite_of_errors() -> None:
    source = LfsrSource(30, 2, taps=(30, 23, 2, 1))
    bits = source.stream(800).bits()
    rng = np.random.default_rng(4)
    wrong = np.where(np.arange(800) < 400, 0.2, 1e-6)  # only the second half is sure
    values = bits ^ (rng.random(800) < wrong)
    found = recover_stream(SoftBits(np.arange(800), values.astype(np.uint8), wrong), "something", rng)
    assert found is not None
    assert "30 stages, taps 30.23.2.1" in found.description
    assert (found.bits(0, 800) == bits).all()
    assert (found.bits(800, 80) == source.stream(80).bits()).all()


# --- seeds ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["lfsr:16+reseed:12", "lfsr:32+reseed:18", "pcg64+reseed:10", "mt19937+reseed:8"])
def test_short_seeds_are_found(text: str) -> None:
    plan = Plan.parse(text)
    victim = Victim.of(plan, 1, 100, 8, 9)
    rng = np.random.default_rng(1)
    values = victim.bits ^ (rng.random(800) < 0.1)
    soft = SoftBits(np.arange(800), values.astype(np.uint8), np.full(800, 0.1))[: 8 * 30]
    register = public_register(plan.family)
    if register is not None:
        found = brute_force.search_register(register, plan.pattern.seed_bits, soft)
    else:
        found = brute_force.search_seeds(plan.seeded, plan.pattern.seed_bits, soft)
    assert found.found
    assert (plan.seeded(found.seed, 800) == victim.bits).all()
    assert found.tried == 2**plan.pattern.seed_bits
    assert found.expected == found.tried / 2


def test_no_seed_is_found_in_other_bits() -> None:
    rng = np.random.default_rng(2)
    soft = SoftBits(np.arange(200), rng.integers(0, 2, 200).astype(np.uint8), np.full(200, 0.1))
    assert not brute_force.search_register(Register(primitive.taps(24)), 16, soft).found
    assert not brute_force.search_seeds(Plan.parse("pcg64+reseed:8").seeded, 8, soft).found
    for bits in (0, 25):
        with pytest.raises(InputError, match="1 to 24"):
            brute_force.search_register(Register(primitive.taps(24)), bits, soft)


# --- prediction ----------------------------------------------------------------------------------------------


def test_bias_and_memory_are_learnt_and_nothing_else() -> None:
    def guessed(text: str, model: str) -> float:
        bits = Victim.of(Plan.parse(text), 30, 100, 8, 4).bits
        return prediction.success_by_observed(bits, (800, 8000), 16000, model)[-1].right.value

    # sigma of 16 000 guesses: 0.4 %; a bias of 10 % gives 60 %
    assert abs(guessed("emulated:fair,p=0.6", "markov") - 0.6) < 0.02
    assert guessed("emulated:fair,heating=1,memory=3", "logistic") > 0.56
    for text in ("emulated:fair", "pcg64", "lfsr:32", "emulated:fair,p=0.6+toeplitz:1024,min-entropy=0.7"):
        assert abs(guessed(text, "logistic") - 0.5) < 0.016
    with pytest.raises(ValueError, match="400 bits"):
        prediction.predict_next(np.zeros(10, np.uint8), np.zeros(1, np.uint8))


# --- measures, plans, reports --------------------------------------------------------------------------------


def test_rank_correlations_say_what_goes_with_success() -> None:
    measured = [Measures(16, 0.02, 0.01), Measures(32, 0.04, 0.012), Measures(128, 0.5, 0.009), Measures(None, 0.5)]
    found = {each.measure: each for each in rank_correlations(measured, [1.0, 0.99, 0.5, 0.49])}
    assert found["state or seed"].rho == pytest.approx(-1)
    assert found["near duplicates"].sources == 3
    assert rank_correlations(measured, [0.5] * 4) == ()
    assert state_bits(Plan.parse("lfsr:64+reseed:12")) == 12
    assert state_bits(Plan.parse("emulated:fair")) is None
    assert state_bits(Plan.parse("lcg:mmix")) == 64


def test_plans_are_read() -> None:
    plan = Plan.parse("emulated:fair,p=0.6+xor:3+toeplitz:1024,min-entropy=0.9+reseed:12")
    assert plan.source == "emulated:fair,p=0.6"
    assert plan.extractors == ("xor:3", "toeplitz:1024,min-entropy=0.9")
    assert plan.pattern.seed_bits == 12
    assert Plan.parse("file:a+b.bin").source == "file:a+b.bin"
    # nothing secret is public
    assert Plan.parse("lfsr:16,state=0xACE1").family == "lfsr:16"


def test_conditioned_bits_are_those_of_the_extractor() -> None:
    from mtjspice.bits.extractors.catalogue import open_extractor
    from mtjspice.bits.sources.catalogue import open_source

    whole = open_extractor("xor:3")(open_source("pcg64", 5).stream(1 << 17)).bits()
    got = Plan.parse("pcg64+xor:3").open(5, 30_000).stream(30_000).bits()
    assert (got == whole[:30_000]).all()


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: Plan.parse("pcg64+reseed:x"), "reseed"),
        (lambda: Plan.parse("pcg64+reseed:4+reseed:5"), "one way"),
        (lambda: Plan.parse("lfsr:16+xor:3+reseed:5").latents(2, 4, 8, 1), "without extractors"),
        (lambda: Channel.parse("gif"), "channel"),
        (lambda: Channel.parse("jpeg:99"), "between 1 and 95"),
        (lambda: Effort((0,)), "images seen"),
        (lambda: Effort((1,), 0), "later image"),
        (lambda: Effort((1,), word=25), "1 to 24 bits"),
        (lambda: study({}, Effort(), ["words"]), "one source"),
        (lambda: study({"a": Plan("pcg64")}, Effort(), ["words"]), "size of the latents"),
        (lambda: study({"a": Plan("pcg64")}, Effort(), ["inversion"], latent_size=5), "without a generator"),
        (lambda: study({"a": Plan("pcg64")}, Effort(), ["magic"], latent_size=5), "unknown attack"),
    ],
)
def test_bad_input_is_one_line(call: Callable[[], object], match: str) -> None:
    with pytest.raises(InputError, match=match) as error:
        call()
    assert "\n" not in str(error.value)


def test_a_source_that_runs_dry_says_so(tmp_path: Path) -> None:
    path = tmp_path / "short.bin"
    path.write_bytes(bytes(100))
    with pytest.raises(InputError, match="run out"):
        study({"f": Plan.parse(f"file:{path}")}, Effort((1,), 1), ["words"], latent_size=100)
    with pytest.raises(InputError, match="run out"):
        study({"f": Plan.parse(f"file:{path}+xor:3")}, Effort((1,), 1), ["words"], latent_size=100)


def test_the_command_attacks_words(command_line: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    arguments = ("attack", "--source", "lfsr:16", "--source", "pcg64", "--attack", "words", "--images-seen", "1,2")
    code, out, err = command_line(*arguments, "--out", str(tmp_path / "o"))
    assert (code, err) == (0, "")
    assert "this attack failed" in out
    assert "LFSR of 16 stages" in out
    assert "secure" in out
    result = json.loads((tmp_path / "o" / "result.json").read_text())
    with (tmp_path / "o" / "trials.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [row["source"] for row in table] == ["lfsr:16"] * 2 + ["pcg64"] * 2
    assert float(table[0]["predicted"]) == result["trials"][0]["predicted"] == 1.0
    assert (tmp_path / "o" / "figure.png").stat().st_size > 5000
    assert not (tmp_path / "o" / "images.png").exists()
    code, out, _ = command_line(*arguments, "--json")
    assert code == 0
    assert json.loads(out) == result
    assert report.HEADER[0] == "source"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--source", "lfsr:16", "--images-seen", "a"), "--images-seen"),
        (("--source", "lfsr:16", "--source", "lfsr:16"), "once"),
        (("--source", "nothing"), "unknown source"),
        (("--source", "pcg64", "--attack", "magic"), "unknown attack"),
        (("--source", "pcg64+reseed:30", "--attack", "words", "--latent-size", "0"), ""),
    ],
)
def test_the_command_ends_in_one_line(
    command_line: Callable[..., tuple[int, str, str]], arguments: tuple[str, ...], says: str
) -> None:
    code, out, err = command_line("attack", *arguments)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert says in err


def test_known_bits_are_never_doubted() -> None:
    victim = Victim.of(Plan.parse("pcg64"), 1, 10, 8, 1)
    soft = known_bits(victim.latents, 8)
    assert (soft.values == victim.bits).all()
    assert not soft.wrong.any()
    with pytest.raises(ValueError, match="one length"):
        SoftBits(np.arange(3), np.zeros(2, np.uint8), np.zeros(3))
    with pytest.raises(ValueError, match="between 0 and 1/2"):
        SoftBits(np.arange(1), np.zeros(1, np.uint8), np.ones(1))


def test_sources_that_an_attack_does_not_apply_to_are_left_out_of_correlations():
    plans = {text: Plan.parse(text) for text in ("lfsr:16", "lfsr:16+reseed:10")}
    outcome = study(plans, Effort((1,), 1), ["words"], latent_size=20)
    assert {trial.source for trial in outcome.trials} == {"lfsr:16"}
    assert all(each.sources < 2 for each in outcome.correlations())
    json.dumps(outcome.as_dict(), allow_nan=False)


def test_derivatives_that_hardly_tell_numbers_apart():
    """Singular values over five decades in single precision: no negative variance, wide errors of the weak ones."""
    torch = pytest.importorskip("torch")
    from mtjspice.generative.attack.inversion import _products

    rng = np.random.default_rng(1)
    left, right = (np.linalg.qr(rng.standard_normal((n, 6)))[0] for n in (6, 300))
    jacobian = torch.from_numpy(left @ np.diag(np.logspace(0, -5, 6)) @ right.T).float()
    precision, _ = _products(jacobian, torch.zeros(300))
    soft = estimated_bits(Inversion(np.zeros(6), precision, 0.0, 1, 1), 8)
    assert np.isfinite(soft.wrong).all()
    assert soft.wrong.max() == pytest.approx(0.5, abs=0.01)
