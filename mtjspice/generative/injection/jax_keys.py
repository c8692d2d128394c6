"""Keys of ``jax.random`` whose bits come from a source: normal, bernoulli, permutation ... drawn from hardware bits.

    with jax_noise(source) as noise:
        image = jax.random.normal(noise.key(), (28, 28))

A key of JAX stands for numbers: the same key gives the same ones. Bits of hardware exist once. So here every draw takes
the next bits of the source whatever its key is, and *the same key gives new bits at each call*.

XLA may run draws of one compiled program that do not depend on one another in any order, and in another one next time.
Numbers then differ from run to run although the bits are the same. The flag ``ORDER_FLAG`` in the environment variable
XLA_FLAGS, set before JAX starts, gives them one order; without it `jax_noise` must be told that any order will do.
"""

import os
import threading
from importlib import import_module
from itertools import count
from math import prod
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjspice.bits.sources.base import Source
from mtjspice.bits.sources.generators import StreamSource
from mtjspice.bits.stream import BitStream, as_stream
from mtjspice.errors import InputError

ORDER_FLAG = "--xla_cpu_enable_concurrency_optimized_scheduler=false"

_WORDS = {8: np.uint8, 16: np.uint16, 32: np.uint32, 64: np.uint64}
_KEY_SHAPE = (2,)
_numbers = count()  # each implementation has a name of its own in JAX


class JaxNoise:
    """The context of `jax_noise`. ``bits`` are those used so far, whole bytes; draws take words of 8 to 64 bits.

    When the bits have run out, JAX reports an error of the program, and the context ends with StreamExhaustedError.
    """

    def __init__(self, source: Source) -> None:
        self._jax = _module("jax")
        self._source = source
        self._lock = threading.Lock()
        self._failure: InputError | None = None
        self.bits = 0
        name = f"mtj{next(_numbers)}"
        define = _module("jax.extend.random").define_prng_impl
        self._implementation = define(
            key_shape=_KEY_SHAPE, seed=self._seed, split=self._split, random_bits=self._random_bits,
            fold_in=self._fold_in, name=name, tag=name,
        )  # fmt: skip

    def key(self) -> Any:
        """A key for the functions of ``jax.random``."""
        return self._jax.random.key(0, impl=self._implementation)

    def __enter__(self) -> "JaxNoise":
        """Draws are served inside and outside; inside, an end of the bits is reported as such."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Replace JAX's error by its cause."""
        if self._failure is not None and isinstance(error, self._jax.errors.JaxRuntimeError):
            raise self._failure from error

    # --- what JAX asks for; keys are told apart by their data, which nothing depends on -------------------------

    def _seed(self, seed: Any) -> Any:
        return self._jax.numpy.zeros(_KEY_SHAPE, np.uint32) + seed.astype(np.uint32)

    def _split(self, key: Any, shape: tuple[int, ...]) -> Any:
        numbers = self._jax.numpy.arange(1, prod(shape) + 1, dtype=np.uint32).reshape(*shape, 1)
        return key * np.uint32(747796405) + numbers

    def _fold_in(self, key: Any, data: Any) -> Any:
        return key * np.uint32(747796405) + data.astype(np.uint32)

    def _random_bits(self, key: Any, width: int, shape: tuple[int, ...]) -> Any:
        wanted = self._jax.ShapeDtypeStruct(shape, _WORDS[width])
        callback = _module("jax.experimental").io_callback
        return callback(lambda _: self._draw(width, shape), wanted, key)

    def _draw(self, width: int, shape: tuple[int, ...]) -> NDArray[Any]:
        size = prod(shape) * width // 8
        with self._lock:
            try:
                found = self._source.read(size)
            except InputError as error:
                self._failure = error
                raise
            self.bits += 8 * size
        return found.view(f">u{width // 8}").astype(_WORDS[width]).reshape(shape)


def jax_noise(source: Source | BitStream | ArrayLike, any_order: bool = False) -> JaxNoise:
    """A context whose `JaxNoise.key` makes ``jax.random`` draw from ``source``.

    InputError if JAX is not installed, or if XLA may change the order of the draws and ``any_order`` does not allow it.
    """
    if not any_order and ORDER_FLAG not in os.environ.get("XLA_FLAGS", "").split():
        raise InputError(
            f"XLA may draw in another order at each run; set XLA_FLAGS={ORDER_FLAG} before JAX starts, or pass "
            "any_order=True"
        )
    return JaxNoise(source if isinstance(source, Source) else StreamSource(as_stream(source)))


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise InputError("JAX is not installed; pip install 'mtjspice[jax]'") from None
