"""Attacks through images: a small generator that torch can differentiate, and (slow) the generator of faces."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtjspice.errors import InputError
from mtjspice.generative.attack.attacker import read_images
from mtjspice.generative.attack.decoder import Decoder, open_decoder
from mtjspice.generative.attack.inversion import ROUNDING, Search, invert
from mtjspice.generative.attack.observed import Channel, Observed
from mtjspice.generative.attack.outcome import Effort
from mtjspice.generative.attack.study import study
from mtjspice.generative.attack.victim import Plan, Victim
from mtjspice.reports import attack as report

pytest.importorskip("torch")

SIZE = 40
MODULE = """
import numpy as np
import torch

rng = np.random.default_rng(0)
first = torch.from_numpy(rng.standard_normal((40, 80)).astype(np.float32) / 6)
second = torch.from_numpy(rng.standard_normal((80, 768)).astype(np.float32) / 12)


def images(z):
    return torch.tanh(torch.relu(z @ first + 0.3) @ second).view(-1, 3, 16, 16)


def stiff(z):
    return images(torch.from_numpy(z.detach().numpy()))
"""


@pytest.fixture(scope="module")
def toy() -> Decoder:
    names: dict[str, Any] = {}
    exec(MODULE, names)
    return Decoder("toy", SIZE, names["images"])


def published(toy: Decoder, text: str, images: int, channel: str = "png") -> tuple[Victim, Observed]:
    victim = Victim.of(Plan.parse(text), images, SIZE, 8, 3)
    return victim, victim.publish(toy, images, Channel.parse(channel))


def test_an_image_is_inverted_to_its_latent(toy: Decoder) -> None:
    victim, observed = published(toy, "pcg64", 3)
    assert observed.images.shape == (3, 16, 16, 3)
    assert observed.images.dtype == np.uint8
    for number, image in enumerate(observed.images):
        found = invert(toy, image, number)
        assert found.solved
        assert 0.7 * ROUNDING < found.residual < ROUNDING * 1.2
        scaled = (found.latent - victim.latents[number]) / found.errors()
        assert 0.6 < scaled.std() < 1.4  # 40 numbers: sigma 0.11
        assert np.abs(scaled).max() < 4.5
        again = invert(toy, image, number)
        assert (again.latent == found.latent).all()


def test_an_image_that_the_generator_cannot_make_is_not_solved(toy: Decoder) -> None:
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    found = invert(toy, image, search=Search(2, 20, 30, 10))
    assert not found.solved
    assert found.errors().mean() > 0.05


def test_the_attacker_reads_bits_with_doubts_that_hold(toy: Decoder) -> None:
    victim, observed = published(toy, "pcg64", 4)
    inversions, soft = read_images(observed, victim.knowledge(), toy)
    wrong = soft.values != victim.bits
    assert all(inversion.solved for inversion in inversions)
    assert wrong.mean() < 0.05
    assert wrong.sum() <= soft.wrong.sum() + 4 * soft.wrong.sum() ** 0.5 + 3
    assert (soft.positions == np.arange(victim.bits.size)).all()


def test_jpeg_costs_bits_but_not_the_signs(toy: Decoder) -> None:
    victim, observed = published(toy, "pcg64", 2, "jpeg:95")
    _, soft = read_images(observed, victim.knowledge(Channel(95)), toy)
    wrong = (soft.values != victim.bits).reshape(-1, 8).mean(axis=0)
    assert wrong[0] < 0.1 < 0.2 < wrong[7]
    assert soft.wrong.reshape(-1, 8)[:, 7].mean() > 0.2


def test_sources_are_told_apart_by_attacks_on_images(toy: Decoder, tmp_path: Path) -> None:
    texts = ("lfsr:16", "lfsr:32", "lfsr:16+reseed:10", "pcg64", "emulated:fair")
    plans = {text: Plan.parse(text) for text in texts}
    near = dict.fromkeys(texts, 0.01)
    outcome = study(
        plans, Effort((1, 2), 3), ["inversion", "brute-force", "prediction"], toy, seed=2, near=near,
        distance=lambda a, b: np.abs(a - b).mean(axis=(1, 2, 3)),
    )  # fmt: skip
    for text in texts[:2]:
        for seen in (1, 2):
            trial = outcome.best(text, seen)
            assert trial.attack == "inversion"
            assert f"LFSR of {text[5:]} stages" in trial.found
            assert trial.right == trial.bits == 3 * SIZE * 8
            assert trial.lpips == 0
            assert trial.lpips_unrelated is not None
            assert trial.lpips_unrelated > 0.1
    seeds = outcome.best("lfsr:16+reseed:10", 2)
    assert seeds.attack == "brute-force"
    assert seeds.right == seeds.bits == SIZE * 8
    for text in texts[3:]:
        trials = [trial for trial in outcome.trials if trial.source == text]
        assert not any(trial.found for trial in trials)
        # 960 bits: 4 sigma are 6.5 %
        assert all(abs(trial.predicted.value - 0.5) < 0.065 for trial in trials)
    correlations = {each.measure: each.rho for each in outcome.correlations()}
    assert "near duplicates" not in correlations  # all alike: nothing to go by
    assert correlations["state or seed"] < -0.7  # the two at chance come in any order
    report.write(outcome, tmp_path)
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["images_inverted"]["pcg64"] == [2, 2]
    assert len(result["trials"]) == len(outcome.trials)
    for name in ("figure.png", "images.png", "trials.csv"):
        assert (tmp_path / name).stat().st_size > 1000
    assert any("secure" in note for note in report.notes(outcome))


def test_the_command_takes_a_function_of_the_users(
    command_line: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small_generator.py").write_text(MODULE)
    monkeypatch.setattr("mtjspice.cli.attack._lpips", lambda required: None)
    arguments = ("attack", "--source", "lfsr:16", "--images-seen", "1", "--future", "2")
    code, out, err = command_line(*arguments, "--generator", "small_generator:images", "--latent-size", "40")
    assert (code, err) == (0, "")
    assert "LFSR of 16 stages" in out
    assert "1 of 1 images were inverted" in out
    for extra, says in (
        (("--generator", "small_generator:images"), "--latent-size"),
        (("--generator", "small_generator:stiff", "--latent-size", "40"), "cannot be differentiated"),
        (("--generator", "small_generator:images", "--latent-size", "41"), "failed"),
        (("--generator", "small_generator:images", "--latent-size", "40", "--attack", "brute-force"), "+reseed:K"),
    ):
        code, out, err = command_line(*arguments, *extra)
        assert (code, out) == (2, "")
        assert err.count("\n") == 1
        assert says in err


def test_images_of_another_shape_are_refused(toy: Decoder) -> None:
    with pytest.raises(InputError, match="published one"):
        invert(toy, np.zeros((8, 8, 3), np.uint8))


@pytest.mark.slow
def test_one_image_of_a_face_gives_the_register_away(fetched: Callable[[str], Path]) -> None:
    fetched("faces")
    decoder = open_decoder("faces")
    outcome = study({"lfsr:16": Plan.parse("lfsr:16")}, Effort((1,), 3), ["inversion"], decoder, seed=1)
    trial = outcome.trials[0]
    assert outcome.solved["lfsr:16"] == (1, 1)
    assert trial.misread < 0.01
    assert trial.right == trial.bits == 2400
    pictures = outcome.pictures["lfsr:16"]
    assert (pictures.true == pictures.predicted).all()
