"""torch: every random operation, in code that is not ours, answered from a source - or refused, never passed on."""

from functools import cache
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mtjspice.errors import InputError
from mtjspice.generative.injection import dropout
from mtjspice.generative.injection.call import Call, bind
from mtjspice.generative.injection.laws import LAWS
from mtjspice.generative.injection.log import Draw
from mtjspice.generative.injection.numbers import Numbers

_COMPOSITE = torch._C.DispatchKey.CompositeImplicitAutograd


class TorchNoise(TorchDispatchMode):  # torch is not followed
    """The context of `noise`: torch's random operations draw from ``numbers``; its own generators stand still.

    All that torch tags as seeded random is answered or refused with InputError. Numbers are made on the processor in
    double precision and then converted, independently of threads. A torch.Generator that the caller passes is ignored
    (and logged). When the supply has run out, StreamExhaustedError reaches the caller and no tensor has been written.
    Contexts nest: the innermost one answers. Operations on the device "meta" draw nothing.

    The context holds for the thread that entered it, not for worker processes or other threads. Refused are a
    random operation inside a backward pass (activation checkpointing would repeat a draw, which bits cannot), entering
    it while torch.compile traces, and tensor subclasses with a dispatch of their own. Untested: CUDA and code compiled
    by torch.compile, whose kernels hold generators of their own.
    """

    def __init__(self, numbers: Numbers) -> None:
        super().__init__()
        self.numbers = numbers
        self._draws: list[Draw] = []

    def __enter__(self) -> "TorchNoise":
        if torch.compiler.is_compiling():
            raise InputError(
                "torch.compile cannot take random numbers from a source; enter noise() outside, uncompiled"
            )
        super().__enter__()
        return self

    @property
    def draws(self) -> tuple[Draw, ...]:
        """The random operations served, in order."""
        return tuple(self._draws)

    @property
    def bits(self) -> int:
        """Bits used by them."""
        return sum(draw.bits for draw in self._draws)

    @property
    def count(self) -> int:
        """Numbers drawn by them."""
        return sum(draw.numbers for draw in self._draws)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Called by torch for every operation."""
        kwargs = kwargs or {}
        if _composite(func):  # seen as a whole in inference mode: what is random in it comes here again
            with self:  # by its own kernel: torch's decomposition in Python of an LSTM leaves the dropout out
                return func._op_dk(_COMPOSITE, *args, **kwargs)
        if not seeded(func) or _on_meta(args, kwargs):
            return func(*args, **kwargs)
        call = bind(func, args, kwargs)
        if dropout.is_idle(call):
            return func(*args, **kwargs)
        if call.name == "_fused_sdp_choice":  # with dropout, attention in separate steps, whose dropout is served
            return int(torch.nn.attention.SDPBackend.MATH.value)
        return self._serve(call, args)

    def _serve(self, call: Call, args: Any) -> Any:
        law, special = LAWS.get(call.name), dropout.STEPS.get(call.name)
        if law is None and special is None:
            raise InputError(f"no random numbers from a source for {call.operation}")
        if torch._C._current_graph_task_id() != -1:
            raise InputError(
                f"{call.operation} inside a backward pass: a source cannot repeat a draw (activation checkpointing)"
            )
        for tensor in args:
            own = getattr(type(tensor), "__torch_dispatch__", None)
            if isinstance(tensor, torch.Tensor) and own is not torch._C._disabled_torch_dispatch_impl:
                raise InputError(f"{call.operation}: no random numbers for tensors of {type(tensor).__name__}")
        bits, count, shape = self.numbers.bits, self.numbers.drawn, call.shape
        if special is not None:
            result = special(call, self.numbers)
        elif law is not None:
            result = call.deliver(law(call, self.numbers))
        drawn, used = self.numbers.drawn - count, self.numbers.bits - bits
        self._draws.append(Draw(call.operation, shape, drawn, used, call.generator))
        return result


@cache
def seeded(func: Any) -> bool:
    """Whether torch marks an operation, or another overload of it, as random."""
    packet = func.overloadpacket
    tag = torch.Tag.nondeterministic_seeded
    takes_generator = any("Generator" in str(argument.type) for argument in func._schema.arguments)
    tagged = any(tag in getattr(packet, overload).tags for overload in packet.overloads())
    return bool(takes_generator or tagged)


@cache
def _composite(func: Any) -> bool:
    # the out= variants among them are answered directly
    return bool(
        torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), _COMPOSITE.name)
        and func.overloadpacket._qualified_op_name.partition("::")[2].removesuffix("_") not in LAWS
    )


def _on_meta(args: Any, kwargs: Any) -> bool:
    tensors = [a for a in (*args, *kwargs.values()) if isinstance(a, torch.Tensor)]
    if tensors:
        return bool(tensors[0].device.type == "meta")
    device = kwargs.get("device")
    return bool(device is not None and torch.device(device).type == "meta")
