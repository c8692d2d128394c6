"""Executors of others, by their address. Everything else that has ``submit`` is handed to `run_study` as it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mtjspice.errors import InputError, MtjspiceError
from mtjspice.studies.workers import Executor

CONNECT_LIMIT = 20.0  # s


@contextmanager
def dask_client(address: str) -> Iterator[tuple[Executor, int]]:
    """Connect to a Dask scheduler; yield its client and how many groups of points it can take at a time.

    Raises InputError where dask.distributed is not installed, MtjspiceError where no scheduler answers or it has no
    workers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise InputError("--dask needs dask.distributed: pip install 'mtjspice[distributed]'") from None
    try:
        client: Any = Client(address, timeout=CONNECT_LIMIT, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise MtjspiceError(f"no Dask scheduler answers at {address}: {error}") from None
    with client:
        workers = client.scheduler_info(n_workers=-1)["workers"]
        threads = sum(worker["nthreads"] for worker in workers.values())
        if not threads:
            raise MtjspiceError(f"the Dask scheduler at {address} has no workers")
        yield _Impure(client), threads


class _Impure:
    """A client that does every task that it is given: equal tasks of Dask's are one."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def submit(self, function: Any, /, *arguments: Any) -> Any:
        """See `Executor`."""
        return self._client.submit(function, *arguments, pure=False)
