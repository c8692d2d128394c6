"""Code in the manner of other people's: it knows nothing of the source, and is deterministic given the stream."""

import itertools

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset, random_split

from mtjspice.bits.adapters.numpy_generator import MTJBitGenerator
from mtjspice.bits.sources.base import StreamExhaustedError
from mtjspice.bits.sources.generators import NumpySource
from mtjspice.errors import InputError
from mtjspice.generative.gaussian import InverseCdf
from mtjspice.generative.injection import hooks, noise, open_numbers
from mtjspice.generative.latents import latent_codes


def source(seed=1):
    return NumpySource("pcg64", seed)


# --- unmodified code under noise() ------------------------------------------------------------------------------


def autoencoder_sample():
    encoder, decoder = torch.nn.Linear(6, 8), torch.nn.Linear(4, 6)
    mean, log_variance = encoder(torch.ones(5, 6)).chunk(2, -1)
    z = mean + torch.randn_like(mean) * (log_variance / 2).exp()
    return decoder(z)


def dropout_committee():
    net = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.ReLU(), torch.nn.Dropout(0.3), torch.nn.Linear(32, 1))
    with torch.no_grad():
        return torch.stack([net(torch.ones(3, 4)) for _ in range(7)])


def mixture():
    parts = torch.distributions.Normal(torch.tensor([-3.0, 3.0]), torch.tensor([0.5, 1.0]))
    weights = torch.distributions.Categorical(torch.tensor([0.3, 0.7]))
    return torch.distributions.MixtureSameFamily(weights, parts).sample((20,))


def shuffled_batches():
    data = TensorDataset(torch.arange(40.0))
    loader = DataLoader(data, batch_size=8, shuffle=True, generator=torch.Generator().manual_seed(0))
    return torch.cat([batch for (batch,) in loader])


def parts_of_a_set():
    return torch.tensor(random_split(range(30), [10, 20])[0].indices)


def hard_choices():
    return torch.nn.functional.gumbel_softmax(torch.zeros(12, 5), tau=0.5, hard=True)


def initial_weights():
    made = []
    for name in (
        "uniform_",
        "normal_",
        "trunc_normal_",
        "xavier_normal_",
        "kaiming_uniform_",
        "orthogonal_",
        "sparse_",
    ):
        extra = {"sparsity": 0.5} if name == "sparse_" else {}
        made.append(getattr(torch.nn.init, name)(torch.empty(6, 6), **extra))
    return torch.stack(made)


def transformer():
    return torch.nn.TransformerEncoderLayer(8, 2, 16, dropout=0.2, batch_first=True)(torch.ones(2, 3, 8)).detach()


def training():
    net = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Dropout(0.2), torch.nn.Linear(8, 1))
    optimizer = torch.optim.Adam(net.parameters())
    for _ in range(4):
        x = torch.rand(16, 3)
        optimizer.zero_grad()
        (net(x) - x.sum(-1, keepdim=True)).square().mean().backward()
        optimizer.step()
    return torch.cat([p.detach().ravel() for p in net.parameters()])


@pytest.mark.parametrize(
    "code",
    [
        autoencoder_sample, dropout_committee, mixture, shuffled_batches, parts_of_a_set, hard_choices,
        initial_weights, transformer, training,
    ],
)  # fmt: skip
def test_unmodified_code_is_a_function_of_the_stream(code):
    before = torch.get_rng_state()
    results = []
    for seed in (1, 1, 2):
        with noise(source(seed)) as log:
            results.append(code().detach())
        assert log.bits > 0
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    assert torch.equal(torch.get_rng_state(), before)


def test_a_seed_of_the_caller_changes_nothing():
    with noise(source()) as log:
        torch.manual_seed(5)
        first = torch.randn(4, generator=torch.Generator().manual_seed(1))
    with noise(source()):
        again = torch.randn(4, generator=torch.Generator().manual_seed(2))
    assert torch.equal(first, again)
    assert log.draws[0].generator


# --- explicit hooks ---------------------------------------------------------------------------------------------


def edm_like_sampler(denoise, latents, randn_like=torch.randn_like, steps=5):
    x = latents * 80
    for sigma in np.geomspace(80, 0.01, steps):
        x = x + 0.3 * sigma * randn_like(x)
        x = x + 0.5 * (denoise(x) - x)
    return x


def ancestral_like_sampler(denoise, x, sigmas, noise_sampler):
    for sigma, following in itertools.pairwise(sigmas):
        x = denoise(x) + noise_sampler(sigma, following) * following
    return x


def test_randn_like_for_samplers():
    start = torch.ones(2, 3, dtype=torch.float64)

    def sample(supply):
        return edm_like_sampler(lambda x: x / 2, start, randn_like=hooks.randn_like(supply))

    assert torch.equal(sample(source()), sample(source()))
    assert not torch.equal(sample(source()), sample(source(2)))
    draw = hooks.randn_like(InverseCdf(source(), 8))
    np.testing.assert_array_equal(draw(start).numpy(), InverseCdf(source(), 8).normal((2, 3)))
    assert draw(start, dtype=torch.float16).dtype == torch.float16
    with pytest.raises(InputError, match="floating-point"):
        draw(torch.ones(2, dtype=torch.int64))


def test_noise_sampler_gives_new_noise_in_each_step():
    x, sigmas = torch.zeros(4, 4), torch.tensor([3.0, 2.0, 1.0, 0.0])
    numbers = open_numbers(source())
    result = ancestral_like_sampler(torch.tanh, x, sigmas, hooks.noise_sampler(numbers, x))
    assert numbers.drawn == 3 * 16
    assert torch.equal(result, ancestral_like_sampler(torch.tanh, x, sigmas, hooks.noise_sampler(source(), x)))
    sampler = hooks.noise_sampler(source(), x)
    assert not torch.equal(sampler(1, 0.5), sampler(1, 0.5))


def test_hooks_and_context_share_one_supply():
    numbers = open_numbers(source())
    first = hooks.variance_noise(numbers)(torch.zeros(5))
    with noise(numbers) as log:
        second = torch.randn(5)
    assert log.count == 5
    assert numbers.drawn == 10
    with noise(source()):
        assert torch.equal(torch.randn(10), torch.cat([first, second]))


def test_latents():
    stream = source().stream(8 * 6)
    expected = latent_codes(stream, (2, 3), 8)
    np.testing.assert_array_equal(hooks.latents(source(), (2, 3), 8), expected)
    np.testing.assert_array_equal(hooks.latents(stream, (2, 3), 8), expected)
    np.testing.assert_array_equal(hooks.latents(InverseCdf(source(), 8), (2, 3)), expected)
    assert hooks.latents(open_numbers(source()), (2, 3)).shape == (2, 3)
    with pytest.raises(InputError, match="too few bits"):
        hooks.latents(stream, (3, 3), 8)


def test_running_dry():
    draw = hooks.randn_like(source().stream(64 * 3))
    with pytest.raises(StreamExhaustedError, match="run out"):
        draw(torch.zeros(10))


def test_random_state_of_numpy():
    """As StyleGAN's scripts make their latents: the numbers are legacy NumPy's, made of the stream's doubles."""
    state = np.random.RandomState(MTJBitGenerator(source().stream(64 * 2000)))
    z = state.randn(2, 64)
    expected = np.random.RandomState(np.random.PCG64(1)).randn(2, 64)
    np.testing.assert_array_equal(z, expected)
    with pytest.raises(StreamExhaustedError, match="run out"):
        np.random.RandomState(MTJBitGenerator(source().stream(64))).randn(8)
