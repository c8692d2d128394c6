"""`jax.random` fed with bits of a source, in processes of their own: XLA reads its flags once.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from mtjspice.bits.sources.generators import NumpySource
from mtjspice.errors import InputError
from mtjspice.generative.injection.jax_keys import ORDER_FLAG, jax_noise

START = """
import json
import jax, jax.numpy as jnp, numpy as np
from mtjspice.bits.sources.generators import NumpySource, StreamSource
from mtjspice.generative.injection.jax_keys import jax_noise

def tell(**values):
    print(json.dumps({name: np.asarray(value).tolist() for name, value in values.items()}))

noise = jax_noise(NumpySource("pcg64", 7))
key = noise.key()
"""


def run(program: str, **environment: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", START + program],
        env={**os.environ, "XLA_FLAGS": ORDER_FLAG, "JAX_PLATFORMS": "cpu", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


TOGETHER = """
first = jax.random.bits(key, (3,), np.uint32)
second = jax.jit(lambda k: jax.random.bits(k, (2, 2), np.uint8))(key)
used = noise.bits

n = (100_000,)
odds = jnp.log(jnp.array([0.2, 0.5, 0.3]))
normal, integers, coins, classes = jax.jit(lambda k: (
    jax.random.normal(k, n), jax.random.randint(k, n, 0, 7), jax.random.bernoulli(k, 0.3, n),
    jax.random.categorical(k, odds, shape=n),
))(jax_noise(NumpySource("pcg64", 8)).key())

draw = jax.jit(lambda k: jax.random.normal(k, (4,)))
one, other = (jax_noise(NumpySource("pcg64", 9)).key() for _ in range(2))
new, newer = draw(one), draw(one)

import logging
from mtjspice.bits.sources.base import StreamExhaustedError
logging.disable(logging.CRITICAL)
short = jax_noise(NumpySource("pcg64", 1).stream(4 * 32))
jax.random.bits(short.key(), (2,))
errors = []
for _ in range(2):
    try:
        with short:
            jax.block_until_ready(jax.jit(lambda k: jax.random.normal(k, (3,)))(short.key()))
    except StreamExhaustedError as error:
        errors.append(str(error))
try:
    with short:
        raise ValueError("not ours")
except ValueError as error:
    errors.append(str(error))

tell(first=first, second=second, used=used, normal=normal, integers=integers, coins=coins.sum(),
     classes=jnp.bincount(classes, length=3), permuted=jax.random.permutation(one, 20), new=new, newer=newer,
     same_bits=draw(other), folded=jax.random.key_data(jax.random.fold_in(key, 3)), errors=errors, left=short.bits)
"""


@pytest.fixture(scope="module")
def found() -> dict:
    return run(TOGETHER)


def test_words_are_those_of_the_source_in_order(found: dict) -> None:
    packed = NumpySource("pcg64", 7).read(16)
    assert found["first"] == packed[:12].view(">u4").tolist()
    assert found["second"] == packed[12:].reshape(2, 2).tolist()
    assert found["used"] == 128


def test_laws(found: dict) -> None:
    """100,000 numbers of each law: Kolmogorov-Smirnov or chi-square, false alarm 1e-4 each."""
    assert stats.kstest(found["normal"], "norm").pvalue > 1e-4
    assert stats.chisquare(np.bincount(found["integers"])).pvalue > 1e-4
    assert stats.binomtest(found["coins"], 100_000, 0.3).pvalue > 1e-4
    assert stats.chisquare(found["classes"], [20_000, 50_000, 30_000]).pvalue > 1e-4
    assert sorted(found["permuted"]) == list(range(20))


def test_the_same_key_gives_new_bits(found: dict) -> None:
    assert found["new"] != found["newer"]
    assert found["new"] == found["same_bits"]
    assert found["folded"] != [0, 0]


def test_running_dry_is_an_error_and_stays_one(found: dict) -> None:
    assert all("run out" in line for line in found["errors"][:2])
    assert found["errors"][2] == "not ours"
    assert found["left"] == 64


PROGRAM = """
@jax.jit
def program(k):
    a, b = jax.random.split(k)
    sums = [jnp.sort(jax.random.normal(a, (n, 100)), axis=0)[-1].sum() for n in range(60, 90)]
    rows = jax.vmap(lambda k: jax.random.normal(k, (2,)))(jax.random.split(b, 3))
    walk = jax.lax.scan(lambda x, k: (x + jax.random.normal(k), x), 0.0, jax.random.split(a, 5))[1]
    slope = jax.grad(lambda m: (m * jax.random.uniform(b, (3,))).sum())(2.0)
    return jnp.array(sums), rows, walk, slope

sums, rows, walk, slope = program(key)
tell(sums=sums, rows=rows, walk=walk, slope=slope, used=noise.bits)
"""


@pytest.mark.slow
def test_numbers_do_not_depend_on_threads() -> None:
    runs = [run(PROGRAM), run(PROGRAM, NPROC="1")]
    assert runs[0] == runs[1]
    assert len({tuple(row) for row in runs[0]["rows"]}) == 3


def test_an_order_that_may_change_must_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    with pytest.raises(InputError, match=f"set XLA_FLAGS={ORDER_FLAG} before JAX starts, or pass any_order=True"):
        jax_noise(NumpySource("pcg64", 1))
    found = run(
        'any_order = jax_noise(NumpySource("pcg64", 7), any_order=True)\ntell(x=jax.random.normal(any_order.key()))'
    )
    assert np.isfinite(found["x"])


def test_without_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(InputError, match=r"JAX is not installed; pip install 'mtjspice\[jax\]'"):
        jax_noise(NumpySource("pcg64", 1), any_order=True)
