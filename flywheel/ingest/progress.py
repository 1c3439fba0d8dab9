"""Tell whoever listens how far a file is read; the command line does, a scheduled run need not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Told = Callable[[str, int, int], None]  # the source, bytes read, of how many


def _nobody(source: str, read_bytes: int, all_bytes: int) -> None:
    """Listen to nothing."""
    del source, read_bytes, all_bytes


_listener: ContextVar[Told] = ContextVar("listener", default=_nobody)


@contextmanager
def listening(told: Told) -> Iterator[None]:
    """Call `told` whenever a part of a file has been read inside."""
    token = _listener.set(told)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(source: str, read_bytes: int, all_bytes: int) -> None:
    """Say how far a source is read."""
    _listener.get()(source, read_bytes, all_bytes)
