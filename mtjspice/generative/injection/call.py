"""A call of a random operation: its arguments by name, what shape, type and place the result has, and delivering it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mtjspice.errors import InputError

_WHOLE = ("randint", "randperm", "multinomial")  # whole numbers, unless a type is named


@dataclass(frozen=True)
class Call:
    """``name``: of the operation without overload and underscore; ``arguments``: all of the schema's, by name."""

    operation: str
    name: str
    in_place: bool
    arguments: Mapping[str, Any]

    @property
    def out(self) -> torch.Tensor | None:
        """The tensor that the result is written to."""
        given = self.arguments["self"] if self.in_place else self.arguments.get("out")
        return given if isinstance(given, torch.Tensor) else None

    @property
    def generator(self) -> bool:
        """Whether a torch.Generator was passed."""
        return self.arguments.get("generator") is not None

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Of the result."""
        a = self.arguments
        if "size" in a:
            shape = tuple(int(n) for n in a["size"])
            if any(n < 0 for n in shape):
                raise InputError(f"{self.operation}: a size must not be negative: {shape}")
            return shape
        if self.name == "randperm":
            return (int(a["n"]),)
        if self.name == "multinomial":
            return (*a["self"].shape[:-1], int(a["num_samples"]))
        if "self" in a:
            return tuple(a["self"].shape)
        return tuple(torch.broadcast_shapes(*(tensor.shape for tensor in self._inputs())))

    @cached_property
    def dtype(self) -> torch.dtype:
        """Of the result."""
        given = self.arguments.get("dtype")
        if isinstance(given, torch.dtype):
            return given
        if self.out is not None:
            return self.out.dtype
        if self.name in _WHOLE:
            return torch.int64
        inputs = self._inputs()
        return inputs[0].dtype if inputs else torch.get_default_dtype()

    @property
    def device(self) -> torch.device:
        """Of the result."""
        if self.out is not None:
            return self.out.device
        given = self.arguments.get("device")
        if given is not None:
            return torch.device(given)
        inputs = self._inputs()
        return inputs[0].device if inputs else torch.device("cpu")

    def values(self, name: str) -> NDArray[np.float64]:
        """An argument in double precision."""
        given = self.arguments[name]
        if isinstance(given, torch.Tensor):
            return np.asarray(given.detach().to("cpu", torch.float64).numpy())
        return np.asarray(given, np.float64)

    def deliver(self, values: NDArray[Any]) -> torch.Tensor:
        """The result: the numbers in its type and place, in ``out`` or in the tensor itself if so asked."""
        fresh = torch.from_numpy(np.array(values, order="C", ndmin=values.ndim))
        out = self.out
        if out is not None:
            return resized(out, fresh.shape).copy_(fresh.to(out.dtype))
        like = self.arguments.get("self")
        if isinstance(like, torch.Tensor) and like.shape == fresh.shape:
            layout = self.arguments.get("memory_format")
            options = {} if layout is None else {"memory_format": layout}
            return torch.empty_like(like, dtype=self.dtype, device=self.device, **options).copy_(fresh)
        return fresh.to(self.device, self.dtype)

    def _inputs(self) -> list[torch.Tensor]:
        names = ("self", "input", "mean", "std", "count", "prob")
        return [self.arguments[n] for n in names if isinstance(self.arguments.get(n), torch.Tensor)]


def resized(out: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """A tensor given as ``out=``, in the shape of the result."""
    return out if out.shape == shape else out.resize_(shape)


def bind(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call:
    """The call that torch hands over."""
    names, defaults, name, in_place = _signature(func)
    arguments = {**defaults, **dict(zip(names, args, strict=False)), **kwargs}
    layout = arguments.get("layout")
    if layout not in (None, torch.strided):
        raise InputError(f"{func}: only dense tensors can be drawn, not {layout}")
    return Call(str(func), name, in_place, arguments)


@cache
def _signature(func: Any) -> tuple[tuple[str, ...], dict[str, Any], str, bool]:
    schema = func._schema.arguments
    name = str(func.overloadpacket._qualified_op_name).partition("::")[2]
    # the default of a type is a number in the schema; None lets `Call.dtype` decide
    defaults = {a.name: None if a.name == "dtype" else a.default_value for a in schema if a.has_default_value()}
    for optional in ("dtype", "generator"):
        defaults.setdefault(optional, None)
    return tuple(a.name for a in schema), defaults, name.removesuffix("_"), name.endswith("_")
