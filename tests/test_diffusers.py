"""Unmodified diffusers pipelines and schedulers whose noise comes from a stream; a tiny net, nothing downloaded."""

import warnings

import numpy as np
import pytest
import torch

from mtjspice.bits.sources.base import StreamExhaustedError
from mtjspice.bits.sources.generators import NumpySource
from mtjspice.errors import InputError
from mtjspice.generative.gaussian import InverseCdf
from mtjspice.generative.injection import hooks, noise
from mtjspice.generative.injection.log import per_operation

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import diffusers

SHAPE = (2, 1, 8, 8)
STEPS = 5


def source(seed=1):
    return NumpySource("pcg64", seed)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Small nets are fastest so."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def net():
    with noise(source(0)):
        made = diffusers.UNet2DModel(
            sample_size=8, in_channels=1, out_channels=1, block_out_channels=(8, 8), layers_per_block=1,
            down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
            norm_num_groups=4,
        )  # fmt: skip
    return made.eval()


def pipeline(kind, scheduler, net):
    made = kind(net, scheduler)
    made.set_progress_bar_config(disable=True)
    return made


def images(pipe, supply, **options):
    before = torch.get_rng_state()
    with noise(supply) as log:
        result = pipe(batch_size=2, num_inference_steps=STEPS, output_type="np", **options).images
    assert torch.equal(before, torch.get_rng_state())
    return result, log


@pytest.fixture(scope="module")
def ddpm(net):
    return pipeline(diffusers.DDPMPipeline, diffusers.DDPMScheduler(num_train_timesteps=20), net)


def test_ddpm(ddpm):
    first, log = images(ddpm, source())
    again, _ = images(ddpm, source())
    other, _ = images(ddpm, source(2))
    assert first.shape == (2, 8, 8, 1)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    # the start and each step but the last
    assert log.count == STEPS * np.prod(SHAPE)
    assert [draw.shape for draw in log.draws] == [SHAPE] * STEPS
    # a ziggurat takes one word for 98.8 % of its numbers
    assert 64 * log.count <= log.bits < 1.05 * 64 * log.count


def test_a_generator_of_the_caller_changes_nothing(ddpm):
    with_one, log = images(ddpm, source(), generator=torch.Generator().manual_seed(3))
    np.testing.assert_array_equal(with_one, images(ddpm, source())[0])
    assert all(draw.generator for draw in log.draws)


def test_an_exhausted_stream_ends_the_pipeline(ddpm):
    needed = images(ddpm, source())[1].bits
    images(ddpm, source().stream(needed))
    with pytest.raises(StreamExhaustedError, match="run out"):
        images(ddpm, source().stream(needed - 64))


def test_words_of_a_device(ddpm):
    """8-bit words: as many as numbers, and no others."""
    _, log = images(ddpm, InverseCdf(source(), 8))
    assert log.bits == 0
    assert log.count == STEPS * np.prod(SHAPE)
    recorded = InverseCdf(source(), 8)
    with noise(recorded):
        start = torch.randn(SHAPE)
    assert start.unique().numel() > 80


def test_ddim(net):
    pipe = pipeline(diffusers.DDIMPipeline, diffusers.DDIMScheduler(num_train_timesteps=20), net)
    results = [images(pipe, source(seed), eta=1.0)[0] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])
    assert images(pipe, source(), eta=1.0)[1].count == (STEPS + 1) * np.prod(SHAPE)
    assert images(pipe, source(), eta=0.0)[1].count == np.prod(SHAPE)


def test_ddim_hook():
    scheduler = diffusers.DDIMScheduler(num_train_timesteps=20)
    scheduler.set_timesteps(STEPS)
    sample, output = torch.ones(SHAPE), torch.zeros(SHAPE)

    def step(supply):
        given = hooks.variance_noise(supply)(sample)
        return scheduler.step(output, scheduler.timesteps[1], sample, eta=1.0, variance_noise=given).prev_sample

    with noise(source()):
        under_the_context = scheduler.step(output, scheduler.timesteps[1], sample, eta=1.0).prev_sample
    assert torch.equal(step(source()), under_the_context)
    assert not torch.equal(step(source()), step(source(2)))


# diffusers 0.42.1 makes an array of a tensor in a way that NumPy 2 deprecates
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_euler_ancestral(net):
    def sample(seed):
        scheduler = diffusers.EulerAncestralDiscreteScheduler(num_train_timesteps=20)
        scheduler.set_timesteps(STEPS)
        with noise(source(seed)) as log, torch.no_grad():
            x = torch.randn(SHAPE) * scheduler.init_noise_sigma
            for t in scheduler.timesteps:
                x = scheduler.step(net(scheduler.scale_model_input(x, t), t).sample, t, x).prev_sample
        assert sum(per_operation(log.draws).values()) == (STEPS + 1) * np.prod(SHAPE)
        return x

    assert torch.equal(sample(1), sample(1))
    assert not torch.equal(sample(1), sample(2))


def test_uniform_numbers_are_refused_without_bits(net):
    """Training draws time steps too, which a Gaussian source cannot give."""
    with noise(InverseCdf(source(), 8)), pytest.raises(InputError, match="pass bits="):
        torch.randint(0, 20, (2,))
    with noise(InverseCdf(source(), 8), bits=source(2)) as log:
        x = torch.randn(SHAPE)
        scheduler = diffusers.DDPMScheduler(num_train_timesteps=20)
        noisy = scheduler.add_noise(torch.ones(SHAPE), x, torch.randint(0, 20, (2,)))
        (net(noisy, 3).sample - x).square().mean().backward()
    assert len(log.draws) == 2
