"""Bits for torch: numbers, shapes, types, and the manner of a torch.Generator."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from mtjspice.bits.adapters.torch_generator import TorchBits, rand_like, randn_like
from mtjspice.bits.sources.base import StreamExhaustedError
from mtjspice.bits.sources.generators import NumpySource
from mtjspice.errors import InputError


def bits(words=10_000):
    return TorchBits(NumpySource("pcg64", 1).stream(64 * words))


def numbers():
    return np.random.Generator(np.random.PCG64(1))


def test_numbers_are_those_of_numpy():
    np.testing.assert_array_equal(bits().rand(2, 3, dtype=torch.float64).numpy(), numbers().random((2, 3)))
    normal = bits().randn((4, 5))
    assert normal.dtype == torch.float32
    np.testing.assert_array_equal(normal.numpy(), numbers().standard_normal((4, 5)).astype(np.float32))
    np.testing.assert_array_equal(bits().randint(-3, 2**40, (50,)).numpy(), numbers().integers(-3, 2**40, 50))
    assert sorted(bits().randperm(100).tolist()) == list(range(100))
    assert bits().rand().shape == ()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_uniform_numbers_never_reach_one(dtype):
    """All bits ones: the largest number of the type below 1."""
    ones = TorchBits(np.ones(640)).rand(10, dtype=dtype)
    assert ones.dtype == dtype
    assert (ones < 1).all()
    assert (ones > 0.99).all()


def test_like_another_tensor():
    image = torch.zeros(2, 3, 8, 8, dtype=torch.float16)
    for draw in (rand_like, randn_like):
        noise = draw(image, bits())
        assert (noise.shape, noise.dtype, noise.device) == (image.shape, image.dtype, image.device)
    p = torch.tensor([0.0, 1.0, 0.5]).repeat(1000)
    drawn = bits().bernoulli(p).reshape(1000, 3)
    assert drawn[:, 0].sum() == 0
    assert drawn[:, 1].sum() == 1000
    assert abs(drawn[:, 2].sum().item() - 500) < 4.5 * 15.8  # false alarm 7e-6


def test_manner_of_a_generator():
    generator = bits(100)
    assert generator.device == torch.device("cpu")
    state = generator.get_state()
    first = generator.randn(20)
    assert torch.equal(generator.set_state(state).randn(20), first)
    for call in (lambda: generator.manual_seed(3), generator.seed, generator.initial_seed):
        with pytest.raises(InputError, match=r"seed"):
            call()
    with pytest.raises(StreamExhaustedError, match="run out"):
        generator.randn(1000)


def test_bad_requests():
    for call, message in [
        (lambda g: g.rand(2, dtype=torch.int64), "floating-point"),
        (lambda g: g.randint(3, 3, (1,)), "low < high"),
        (lambda g: g.bernoulli(torch.tensor([1.5])), "between 0 and 1"),
        (lambda g: g.randn(-1), "not be negative"),
    ]:
        with pytest.raises(InputError, match=message):
            call(bits())


def test_without_torch_one_line_names_the_extra():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from mtjspice.bits.adapters.torch_generator import TorchBits\n"
        "TorchBits([1, 0])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "torch is not installed; pip install 'mtjspice[generative]'" in run.stderr
