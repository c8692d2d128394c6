"""noise(): torch's random operations from a source, all of them or an error, and torch's own generators untouched."""

import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest
import torch
from scipy import stats
from torch.nn import functional as F  # noqa: N812
from torch.utils.checkpoint import checkpoint

from mtjspice.bits.adapters.numpy_generator import MTJBitGenerator
from mtjspice.bits.adapters.torch_generator import TorchBits
from mtjspice.bits.sources.base import StreamExhaustedError
from mtjspice.bits.sources.generators import NumpySource
from mtjspice.errors import InputError
from mtjspice.generative.gaussian import InverseCdf
from mtjspice.generative.injection import noise, open_numbers
from mtjspice.generative.injection.log import per_operation
from mtjspice.generative.injection.torch_mode import seeded

FALSE_ALARM = 1e-4  # of each statistical test; seeds are fixed


@pytest.fixture(autouse=True)
def _torch_stands_still():
    """No test may move torch's generator."""
    before = torch.get_rng_state()
    yield
    assert torch.equal(before, torch.get_rng_state())


def source(seed=1):
    return NumpySource("pcg64", seed)


def recorded(words, seed=1):
    return source(seed).stream(64 * words)


def drawn(make, seed=1):
    with noise(source(seed)):
        return make()


class TestEveryOperation:
    """What is tagged as random is answered, needs no numbers, or is refused; torch's generator is never used."""

    TENSOR = torch.full((2, 3), 0.5)
    VALUES: ClassVar = {
        "self": TENSOR, "input": TENSOR, "p": 0.5, "prob": TENSOR, "count": torch.full((2, 3), 4.0), "noise": TENSOR,
        "mean": 0.0, "std": 1.0, "size": [2, 3], "n": 6, "high": 9, "low": 2, "from": 1, "to": 9, "num_samples": 1,
        "train": True, "training": True, "dropout_p": 0.5, "dtype": None,
        "query": torch.ones(1, 2, 3, 8), "key": torch.ones(1, 2, 3, 8), "value": torch.ones(1, 2, 3, 8),
    }  # fmt: skip

    @staticmethod
    def operations():
        found = []
        for name in torch._C._dispatch_get_all_op_names():
            space, _, rest = name.partition("::")
            if space in ("aten", "prims", "rngprims"):
                packet, _, overload = rest.partition(".")
                func = getattr(getattr(getattr(torch.ops, space), packet), overload or "default")
                if torch.Tag.nondeterministic_seeded in func.tags:
                    found.append(func)
        return sorted(found, key=str)

    def arguments(self, func):
        """Arguments of a call, or None if there is one that cannot be guessed (kernels of other devices)."""
        values, keywords = [], {}
        for argument in func._schema.arguments:
            kind = str(argument.type)
            if argument.name in ("out", "out0", "out1"):
                value = torch.empty(0, dtype=torch.bool if argument.name == "out1" else torch.float32)
            elif argument.name == "self" and func.overloadpacket in (torch.ops.aten.random_, torch.ops.aten.random):
                value = torch.zeros(2, 3)
            elif argument.name == "high" and kind == "Tensor":
                value = torch.tensor(9)
            elif argument.name in ("mean", "std", "p") and kind == "Tensor":
                value = self.TENSOR
            elif argument.has_default_value() and argument.name not in ("dropout_p", "training"):
                if argument.kwarg_only:
                    continue
                value = argument.default_value
            elif argument.name in self.VALUES:
                value = self.VALUES[argument.name]
            elif "Generator" in kind:
                value = torch.Generator().manual_seed(3)
            else:
                return None
            value = value.clone() if isinstance(value, torch.Tensor) else value
            if argument.kwarg_only:
                keywords[argument.name] = value
            else:
                values.append(value)
        return values, keywords

    def test_answered_or_refused(self):
        served, refused, unknown = set(), set(), set()
        state = torch.get_rng_state()
        for func in self.operations():
            assert seeded(func)
            call = self.arguments(func)
            if call is None:
                unknown.add(str(func))
                continue
            results = []
            for seed in (1, 1, 2):
                values, keywords = self.arguments(func)
                with noise(source(seed)) as log:
                    try:
                        results.append(func(*values, **keywords))
                    except InputError as error:
                        assert "no random numbers from a source for" in str(error)  # noqa: PT017
                        refused.add(str(func))
                        break
                assert torch.equal(torch.get_rng_state(), state), func
                if "_fused_sdp_choice" not in str(func):
                    assert log.draws, func
                    assert log.bits > 0
            else:
                served.add(str(func))
                flat = [r[0] if isinstance(r, tuple) else r for r in results]
                if isinstance(flat[0], torch.Tensor):
                    assert torch.equal(flat[0], flat[1]), func
        assert len(served) >= 100
        # dropout of single kernels (CUDA's, flash attention's) and what only graph compilers call
        packets = {name.rpartition(".")[0] for name in refused}
        assert packets <= {
            "aten._fused_dropout", "aten._scaled_dot_product_flash_attention", "aten._triton_scaled_dot_attention",
            "aten._scaled_dot_product_flash_attention_for_cpu", "aten._scaled_dot_product_fused_attention_overrideable",
            "aten.native_dropout", "aten._scaled_dot_product_attention_math_for_mps", "aten._cudnn_init_dropout_state",
            "aten._nested_tensor_softmax_with_shape", "aten._scaled_dot_product_cudnn_attention",
        }  # fmt: skip
        # the rest: kernels of devices, prims, and recurrent nets (below)
        known = (
            "_cudnn",
            "_lstm_mps",
            "miopen",
            "prims",
            "lstm",
            "gru",
            "rnn_",
            "attention",
            "_fill_mem_eff",
            "softmax",
        )
        assert [name for name in unknown if not any(word in name for word in known)] == []

    @pytest.mark.parametrize("net", [torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN])
    @pytest.mark.parametrize("grad", [torch.enable_grad, torch.no_grad, torch.inference_mode])
    def test_recurrent_nets(self, net, grad):
        def outputs():
            net_ = net(4, 4, 2, dropout=0.5)
            with grad(), noise(source(5)) as log:
                result = net_(torch.ones(1, 3, 4))[0]
            assert log.count == 12
            return result

        assert torch.equal(drawn(outputs), drawn(outputs))

    @pytest.mark.parametrize("grad", [torch.enable_grad, torch.no_grad, torch.inference_mode])
    @pytest.mark.parametrize(
        ("make", "numbers"),
        [
            (lambda: F.dropout(torch.ones(5, 4), 0.5), 20),
            (lambda: F.dropout2d(torch.ones(2, 3, 4, 4), 0.5), 6),
            (lambda: F.alpha_dropout(torch.ones(5, 4), 0.5, True), 20),
            (lambda: F.feature_alpha_dropout(torch.ones(5, 4, 2), 0.5, True), 20),
            (lambda: F.rrelu(-torch.ones(7), training=True), 7),
            (lambda: F.gumbel_softmax(torch.zeros(3, 4), hard=True), 12),
            (lambda: F.scaled_dot_product_attention(*[torch.ones(1, 2, 3, 8)] * 3, dropout_p=0.5), 18),
            (lambda: torch.randn(6, out=torch.empty(0)), 6),
            (lambda: torch.svd_lowrank(torch.ones(4, 4), 2)[0].abs(), 8),
        ],
    )
    def test_composite_ones(self, grad, make, numbers):
        with grad(), noise(source()) as log:
            first = make()
        assert log.count == numbers
        with grad():
            assert torch.equal(first, drawn(make))

    def test_nothing_random_in_it(self):
        q = torch.ones(1, 2, 3, 8)
        with noise(recorded(0)) as log:
            F.scaled_dot_product_attention(q, q, q)
            F.rrelu(q, training=False)
            F.dropout(q, 0.5, training=False)
            torch.native_dropout(q, 0.5, False)
            torch.nn.Linear(3, 3, device="meta")
        assert log.draws == ()


class TestNumbers:
    @pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
    def test_those_of_torch_bits(self, dtype):
        bits = TorchBits(source())
        for name in ("randn", "rand"):
            expected = getattr(bits, name)(4, 5, dtype=dtype)
            assert torch.equal(drawn(lambda name=name: getattr(torch, name)(4, 5, dtype=dtype)), expected)
            bits = TorchBits(source())
        with noise(np.ones(64 * 40)):
            rand, wide = torch.rand(20, dtype=dtype), torch.empty(20, dtype=dtype).uniform_(-3, 0.1)
        assert (rand < 1).all()
        assert (wide < torch.tensor(0.1, dtype=dtype)).all()
        assert (wide > 0.05).all()

    def test_views_layouts_and_scalars(self):
        whole = torch.zeros(4, 6)
        with noise(source()):
            whole[:, ::2].normal_()
        expected = np.random.Generator(MTJBitGenerator(recorded(50))).standard_normal((4, 3)).astype(np.float32)
        np.testing.assert_array_equal(whole[:, ::2].numpy(), expected)
        assert (whole[:, 1::2] == 0).all()
        image = torch.zeros(2, 3, 4, 4).to(memory_format=torch.channels_last)
        like = drawn(lambda: torch.randn_like(image))
        assert like.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(like, drawn(lambda: torch.randn(2, 3, 4, 4)))
        assert drawn(lambda: torch.randn(())).shape == ()
        assert drawn(lambda: torch.rand(0, 3)).shape == (0, 3)

    def test_complex_numbers(self):
        """Variance 1 in all: 2 x 20,000 numbers of variance 1/2, within 4.5 sigma (7e-6)."""
        z = drawn(lambda: torch.randn(20_000, dtype=torch.complex64))
        assert z.dtype == torch.complex64
        for part in (z.real, z.imag):
            assert abs(part.square().mean().item() - 0.5) < 4.5 * 0.5 * np.sqrt(2 / 20_000)
        u = drawn(lambda: torch.rand(100, dtype=torch.complex64))
        assert ((u.real >= 0) & (u.imag >= 0) & (u.real < 1) & (u.imag < 1)).all()

    def test_types_of_whole_numbers(self):
        for dtype in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bool):
            filled = drawn(lambda dtype=dtype: torch.empty(500, dtype=dtype).random_())
            assert filled.dtype == dtype
            assert (filled >= 0).all()
            assert filled.unique().numel() > (1 if dtype == torch.bool else 100)
        assert drawn(lambda: torch.randint(3, 5, (50,), dtype=torch.int8)).unique().tolist() == [3, 4]
        assert drawn(lambda: torch.randperm(50, dtype=torch.float32)).sort().values.tolist() == list(range(50))

    def test_gradients_flow(self):
        mean = torch.zeros(3, requires_grad=True)
        sample = drawn(lambda: torch.distributions.Normal(mean, 2.0).rsample((4,)))
        sample.sum().backward()
        assert mean.grad.tolist() == [4, 4, 4]
        alpha = torch.full((5,), 2.0, requires_grad=True)
        drawn(lambda: torch.distributions.Gamma(alpha, 1.0).rsample()).sum().backward()
        assert (alpha.grad > 0).all()


N = 4000
D = torch.distributions


class TestLaws:
    """Kolmogorov-Smirnov or chi-square tests of 4,000 numbers, false alarm 1e-4 each (30 of them: 0.3 %)."""

    @pytest.mark.parametrize(
        ("make", "law"),
        [
            (lambda: torch.rand(N), stats.uniform()),
            (lambda: torch.rand_like(torch.zeros(N, dtype=torch.float64)), stats.uniform()),
            (lambda: torch.empty(N).uniform_(-2, 3), stats.uniform(-2, 5)),
            (lambda: torch.randn(N), stats.norm()),
            (lambda: torch.randn_like(torch.zeros(N)), stats.norm()),
            (lambda: torch.normal(1.0, 2.0, (N,)), stats.norm(1, 2)),
            (lambda: torch.normal(torch.full((N,), 1.0), 2.0), stats.norm(1, 2)),
            (lambda: torch.normal(1.0, torch.full((N,), 2.0)), stats.norm(1, 2)),
            (lambda: torch.normal(torch.ones(N, 1), torch.full((1,), 2.0))[:, 0], stats.norm(1, 2)),
            (lambda: torch.empty(N).normal_(-1, 0.5), stats.norm(-1, 0.5)),
            (lambda: torch.empty(N).log_normal_(0.5, 0.25), stats.lognorm(0.25, scale=np.exp(0.5))),
            (lambda: torch.empty(N).cauchy_(1, 2), stats.cauchy(1, 2)),
            (lambda: torch.empty(N).exponential_(3), stats.expon(scale=1 / 3)),
            (lambda: D.Gamma(torch.tensor(2.5), torch.tensor(1.0)).sample((N,)), stats.gamma(2.5)),
            (lambda: D.Beta(0.5, 2.0).sample((N,)), stats.beta(0.5, 2)),
            (lambda: D.Dirichlet(torch.tensor([0.3, 1.0, 1.7])).sample((N,))[:, 0], stats.beta(0.3, 2.7)),
            (lambda: D.Gumbel(0.0, 1.0).sample((N,)), stats.gumbel_r()),
            (lambda: F.rrelu(-torch.ones(N), 0.1, 0.4, training=True), stats.uniform(-0.4, 0.3)),
        ],
    )
    def test_continuous(self, make, law):
        assert stats.kstest(drawn(make).double().numpy(), law.cdf).pvalue > FALSE_ALARM

    @pytest.mark.parametrize(
        ("make", "law"),
        [
            (lambda: torch.randint(2, 9, (N,)), stats.randint(2, 9)),
            (lambda: torch.randint_like(torch.zeros(N), 7), stats.randint(0, 7)),
            (lambda: torch.empty(N).random_(1, 6), stats.randint(1, 6)),
            (lambda: torch.bernoulli(torch.full((N,), 0.3)), stats.bernoulli(0.3)),
            (lambda: torch.empty(N, dtype=torch.int64).bernoulli_(0.7), stats.bernoulli(0.7)),
            (lambda: torch.empty(N).geometric_(0.4), stats.geom(0.4)),
            (lambda: torch.poisson(torch.full((N,), 3.5)), stats.poisson(3.5)),
            (lambda: torch.binomial(torch.full((N,), 12.0), torch.full((N,), 0.3)), stats.binom(12, 0.3)),
            (lambda: torch.native_dropout(torch.ones(N), 0.3, True)[1].long(), stats.bernoulli(0.7)),
            (
                lambda: torch.multinomial(torch.tensor([2.0, 0, 3, 5]), N, True),
                stats.rv_discrete(values=([0, 2, 3], [0.2, 0.3, 0.5])),
            ),
            (  # the second of two without replacement: P(j) = sum over i of w_i w_j / (1 - w_i)
                lambda: torch.multinomial(torch.tensor([[0.2, 0.3, 0.5]]).repeat(N, 1), 2)[:, 1],
                stats.rv_discrete(values=([0, 1, 2], [0.2 * (3 / 7 + 1), 0.3 * (1 / 4 + 1), 0.5 * (1 / 4 + 3 / 7)])),
            ),
            (  # orders of three
                lambda: torch.stack([torch.randperm(3) for _ in range(600)]) @ torch.tensor([3, 1, 0]),
                stats.rv_discrete(values=([1, 2, 3, 5, 6, 7], [1 / 6] * 6)),
            ),
        ],
    )
    def test_discrete(self, make, law):
        values = drawn(make).double().numpy()
        levels = np.unique(values)
        expected = law.pmf(levels) * values.size
        assert (expected > 0).all()
        kept = expected >= 5
        counts = np.array([(values == level).sum() for level in levels[kept]] + [0.0])
        counts[-1] = values.size - counts.sum()
        wanted = np.append(expected[kept], values.size - expected[kept].sum())
        if wanted[-1] < 1e-6:
            assert counts[-1] == 0
            counts, wanted = counts[:-1], wanted[:-1]
        assert stats.chisquare(counts, wanted, sum_check=False).pvalue > FALSE_ALARM

    def test_small_parameters_of_dirichlet(self):
        shares = drawn(lambda: D.Dirichlet(torch.full((200, 4), 1e-3, dtype=torch.float64)).sample())
        assert torch.isfinite(shares).all()
        torch.testing.assert_close(shares.sum(-1), torch.ones(200, dtype=torch.float64))


class TestGaussianSource:
    def test_normal_numbers_are_its_own(self):
        levels = torch.from_numpy(InverseCdf(source(), 4).levels)
        with noise(InverseCdf(source(), 4)) as log:
            normal = torch.randn(50, dtype=torch.float64)
            torch.empty(3).log_normal_()
        assert torch.isin(normal, levels).all()
        np.testing.assert_array_equal(normal.numpy(), InverseCdf(source(), 4).normal((50,)))
        assert per_operation(log.draws) == {"aten.randn.default": 50, "aten.log_normal_.default": 3}
        assert log.bits == 0

    def test_others_need_bits(self):
        with noise(InverseCdf(source(), 4)), pytest.raises(InputError, match="pass bits= for the others"):
            torch.rand(3)
        with noise(InverseCdf(source(), 4), bits=source(2)) as log:
            other = torch.rand(3)
        assert torch.equal(other, drawn(lambda: torch.rand(3), 2))
        assert log.bits == 192

    def test_a_faulty_one_is_named(self):
        class Faulty:
            def __init__(self, values):
                self.values = values

            def normal(self, shape):
                return self.values

        for values, message in ((np.zeros(2), "of shape"), (np.full(3, np.nan), "not finite")):
            with noise(Faulty(values)), pytest.raises(InputError, match=message):
                torch.randn(3)

    def test_not_a_generator_of_numpy(self):
        for given in (np.random.default_rng(1), np.random.RandomState(1), np.random.PCG64(1)):
            with pytest.raises(InputError, match=r"not a \w+ of NumPy"):
                noise(given)
        with pytest.raises(InputError, match="gives bits itself"):
            noise(source(), bits=source())
        with pytest.raises(InputError, match="no further bits"):
            noise(open_numbers(source()), bits=source())


class TestContext:
    def test_running_dry_leaves_the_tensor_alone(self):
        kept = torch.full((8,), 7.0)
        with noise(recorded(5)) as log:
            for call in (kept.normal_, kept.uniform_, lambda: kept.bernoulli_(0.5), lambda: torch.randn(8, out=kept)):
                with pytest.raises(StreamExhaustedError, match="run out"):
                    call()
        assert (kept == 7).all()
        assert log.draws == ()

    def test_refill(self):
        with noise(recorded(4), refill=lambda: recorded(4, 2)) as log:
            torch.rand(6, dtype=torch.float64)
        assert log.bits == 6 * 64

    def test_an_exception_ends_it(self):
        with pytest.raises(KeyError), noise(source()):
            raise KeyError
        with noise(source()) as outer:
            torch.randn(2)
            with noise(source(2)) as inner:
                torch.randn(3)
                with inner:
                    torch.randn(5)
            torch.randn(4)
        with outer:
            torch.randn(1)
        assert [draw.shape for draw in outer.draws] == [(2,), (4,), (1,)]
        assert [draw.shape for draw in inner.draws] == [(3,), (5,)]

    def test_log(self):
        with noise(recorded(100)) as log:
            torch.rand(2, 3, generator=torch.Generator().manual_seed(1))
            F.dropout(torch.ones(4), 0.5)
        first, second = log.draws
        assert (first.operation, first.shape, first.numbers, first.bits, first.generator) == (
            "aten.rand.generator", (2, 3), 6, 384, True,
        )  # fmt: skip
        assert (second.operation, second.bits, second.generator) == ("aten.bernoulli_.float", 256, False)
        assert (log.bits, log.count) == (640, 10)

    def test_threads_do_not_matter(self):
        threads = torch.get_num_threads()
        results = []
        try:
            for count in (1, 2):
                torch.set_num_threads(count)
                results.append(drawn(lambda: torch.randn(100_000)))
        finally:
            torch.set_num_threads(threads)
        assert torch.equal(*results)

    def test_vmap(self):
        x = torch.zeros(3, 2)
        different = drawn(lambda: torch.func.vmap(lambda row: row + torch.randn(2), randomness="different")(x))
        assert torch.equal(different, drawn(lambda: torch.randn(3, 2)))
        same = drawn(lambda: torch.func.vmap(lambda row: row + torch.randn(2), randomness="same")(x))
        assert torch.equal(same[0], same[2])

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: torch.empty(3).uniform_(2, 1), "bounds in order|from"),
            (lambda: torch.normal(torch.zeros(2), torch.tensor([1.0, -1.0])), "0 or more"),
            (lambda: torch.bernoulli(torch.tensor([1.5])), "between 0 and 1"),
            (lambda: torch.poisson(torch.tensor([-1.0])), "rates"),
            (lambda: torch.binomial(torch.tensor([1.5]), torch.tensor([0.5])), "whole numbers"),
            (lambda: torch.empty(3).exponential_(0), "rate above 0"),
            (lambda: torch.empty(3).geometric_(1.5), "between 0 and 1"),
            (lambda: torch.randint(5, 5, (2,)), "low < high"),
            (lambda: torch.randint(0, 300, (2,), dtype=torch.uint8), "holds 0 to 255"),
            (lambda: torch.randperm(200, dtype=torch.int8), "hold an order"),
            (lambda: torch.randn(3, dtype=torch.int64), "cannot be drawn"),
            (lambda: torch.randn(-1), "negative"),
            (lambda: torch.multinomial(torch.tensor([1.0, 0.0]), 2), "as many weights"),
            (lambda: torch.multinomial(torch.tensor([-1.0, 2.0]), 1), "weights of 0 or more"),
            (lambda: torch.ops.aten._fused_dropout(torch.ones(2), 0.5), "no random numbers from a source for"),
        ],
    )
    def test_bad_requests(self, call, message):
        with noise(source()), pytest.raises(InputError, match=message):
            call()

    def test_a_draw_cannot_be_repeated(self):
        x = torch.ones(4, requires_grad=True)
        with noise(source()):
            y = checkpoint(lambda v: F.dropout(v, 0.5), x, use_reentrant=False)
            with pytest.raises(InputError, match="activation checkpointing"):
                y.sum().backward()


def test_without_torch_one_line_names_the_extra():
    code = "import sys; sys.modules['torch'] = None\nfrom mtjspice.generative.injection import noise\nnoise([1, 0])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "torch is not installed; pip install 'mtjspice[generative]'" in run.stderr


def test_dropout_is_the_same_on_all_paths_of_torch():
    """Kernels that draw the mask themselves keep what those keep that draw it by Bernoulli."""
    masks = []
    for drop in (lambda x: F.dropout(x, 0.3, True), lambda x: torch.native_dropout(x, 0.3, True)[0]):
        with noise(NumpySource("pcg64", 1)):
            masks.append(drop(torch.ones(100)) != 0)
    assert (masks[0] == masks[1]).all()
