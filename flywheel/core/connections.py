"""Open the lake that settings name: once for each use, or once for a whole run of small steps."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from flywheel.core.lake import Lake
from flywheel.core.settings import load_settings

_SMALL_DAY = 20_000  # traces up to which one thread is quicker than two: starting a scan on more costs 5 ms each time


class _Kept(threading.local):
    """What `kept_open` keeps on this thread."""

    is_wanted = False
    lake: Lake | None = None


_kept = _Kept()


@contextmanager
def open_lake() -> Iterator[Lake]:
    """Yield the lake that settings name, closed afterwards unless `kept_open` wants it again.

    A connection that saw an error is never used again: the next try opens a new one.
    """
    lake = _kept_lake() if _kept.is_wanted else Lake.open()
    is_done = False
    try:
        yield lake
        is_done = True
    finally:
        if lake is not _kept.lake:
            lake.close()
        elif not is_done:
            _close_kept()


@contextmanager
def kept_open(day: date | None = None) -> Iterator[None]:
    """Let `open_lake` give the same connection again and again on this thread; opening one takes 0.1 s.

    With a day, DuckDB works in one thread if the day is small, else in as many as there are.
    """
    is_outermost = not _kept.is_wanted
    _kept.is_wanted = True
    try:
        if day is not None:
            with open_lake() as lake:
                _suit_threads(lake, day)
        yield
    finally:
        if is_outermost:
            _kept.is_wanted = False
            _close_kept()


def _suit_threads(lake: Lake, day: date) -> None:
    trace_count = lake.scalar("select count(*) from raw_traces where day = $day", day=day)
    lake.connection.execute("set threads = 1" if trace_count <= _SMALL_DAY else "reset threads")


def _kept_lake() -> Lake:
    settings = load_settings()
    if _kept.lake is not None and _kept.lake.settings != settings:
        _close_kept()
    if _kept.lake is None:
        _kept.lake = Lake.open(settings)
    return _kept.lake


def _close_kept() -> None:
    lake, _kept.lake = _kept.lake, None
    if lake is not None:
        lake.close()
