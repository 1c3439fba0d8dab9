"""Requests wait here until one commit has landed them all: what is answered is in the lake."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from flywheel.core.errors import SchemaMismatch, TransientError, UnreadableRows, UsageError
from flywheel.core.lake import Lake
from flywheel.core.lake_pieces import gather_small
from flywheel.core.settings import Settings
from flywheel.ingest.landing import LANDED_TABLES
from flywheel.ingest.receiver_landing import Refused, land_records
from flywheel.ingest.receiver_wire import FEEDBACK, Batch, Refusal, most_of_records, too_many_records

GROUP_BYTES = 16 * 1024 * 1024  # what one commit lands: bounds memory, and how long the first of a group waits
RETRY_SECONDS = 2  # a commit takes some tenths of a second
_OF_RECORDS = (UnreadableRows, SchemaMismatch)  # sending them again cannot help
_OF_SURROUNDINGS = (TransientError, UsageError, OSError)  # would meet every record alike

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of a batch: the records that are in quarantine."""

    refused: tuple[Refused, ...]


Outcome = Landed | Refusal
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Pace:
    """When small files are merged: each commit leaves some."""

    merge_after_commits: int = 50
    idle_seconds: float = 30.0


_PACE = Pace()


@dataclass(slots=True)
class _Waiting:
    batch: Batch
    landed: "asyncio.Future[Outcome]"


_NO_LONGER = Refusal(503, "The receiver can write nothing any more; it has to be restarted.", RETRY_SECONDS)


def _refusal(error: BaseException) -> Refusal:
    """Return what a sender is told: only for a fault of the records that sending them again is of no use."""
    if isinstance(error, _OF_RECORDS):
        return Refusal(400, f"The records could not be read: {error}")
    if isinstance(error, TransientError):
        return Refusal(503, str(error), RETRY_SECONDS)
    _log.error("Records could not be written: %s", error)
    return Refusal(503, "The records could not be written; the receiver's log says why.", RETRY_SECONDS)


class Groups:
    """Collect what comes while a commit is under way, and land it with the next one."""

    def __init__(self, settings: Settings, pace: Pace = _PACE) -> None:
        self._settings = settings
        self._pace = pace
        self._most_bytes = most_of_records(settings.receive_limit_mb)  # not yet landed; more must come again
        # one thread has the lake: a connection is not shared, and embedded there is one writer anyway
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="landing")
        self._lake: Lake | None = None
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._arrived = asyncio.Event()
        self._commits = 0
        self._unanswered: set[asyncio.Future[Outcome]] = set()
        self._landing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the lake, so that the first request need not wait for it, and begin to land what comes."""
        await self._in_thread(self._opened)
        self._landing = asyncio.create_task(self._run())
        self._landing.add_done_callback(self._ended)

    @property
    def is_broken(self) -> bool:
        """Whether nothing that comes would be landed any more."""
        return self._landing is not None and self._landing.done()

    async def land(self, batch: Batch) -> Outcome:
        """Return when the batch is in the lake, or why it is not."""
        if self.is_broken:
            return _NO_LONGER
        if batch.size > self._most_bytes:
            return too_many_records(self._most_bytes)
        if self._waiting_bytes + batch.size > self._most_bytes:
            return Refusal(429, "More is waiting to be written than fits; send it again.", RETRY_SECONDS)
        waiting = _Waiting(batch, asyncio.get_running_loop().create_future())
        self._unanswered.add(waiting.landed)
        waiting.landed.add_done_callback(self._unanswered.discard)
        self._waiting.append(waiting)
        self._waiting_bytes += batch.size
        self._arrived.set()
        return await waiting.landed

    async def _run(self) -> None:
        """Land groups until cancelled; merge small files when nothing comes."""
        while True:
            group = self._next_group()
            if group:
                await self._land_group(group)
                continue
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), self._pace.idle_seconds)
            except TimeoutError:
                await self._merge()

    def _ended(self, landing: "asyncio.Task[None]") -> None:
        """Leave nobody waiting for a landing that has ended, unless `close` ended it to land the rest itself."""
        if landing.cancelled():
            return
        _log.error("The receiver can land nothing any more; restart it.", exc_info=landing.exception())
        for landed in list(self._unanswered):
            if not landed.done():
                landed.set_result(_NO_LONGER)

    async def close(self) -> None:
        """Land what waits, and give the lake back."""
        if self._landing is not None:
            self._landing.cancel()
            await asyncio.wait([self._landing])
        while group := self._next_group():
            await self._land_group(group)
        await self._in_thread(self._close_lake)
        self._pool.shutdown()

    def _next_group(self) -> list[_Waiting]:
        """Take the oldest that waits, and what fits beside it."""
        taken, size = 0, 0
        for waiting in self._waiting:
            size += waiting.batch.size
            if taken and size > GROUP_BYTES:
                break
            taken += 1
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return group

    async def _land_group(self, group: list[_Waiting]) -> None:
        found = await self._attempt([waiting.batch for waiting in group])
        if isinstance(found, BaseException) and not isinstance(found, _OF_SURROUNDINGS) and len(group) > 1:
            # one of them may be at fault, and must not take the others with it
            for waiting in group:
                await self._land_group([waiting])
            return
        for place, waiting in enumerate(group):
            self._waiting_bytes -= waiting.batch.size
            if not waiting.landed.done():
                waiting.landed.set_result(_refusal(found) if isinstance(found, BaseException) else found[place])

    async def _attempt(self, batches: list[Batch]) -> list[Landed] | BaseException:
        landing = asyncio.ensure_future(self._in_thread(lambda: self._land_batches(batches)))
        await asyncio.wait([landing])
        error = landing.exception()
        if error is not None:
            return error
        self._commits += 1
        return landing.result()

    async def _in_thread(self, work: Callable[[], _Made]) -> _Made:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _land_batches(self, batches: Sequence[Batch]) -> list[Landed]:
        """Land spans and log records together, so that messages find their span, and feedback after them."""
        refused: dict[int, list[Refused]] = {place: [] for place in range(len(batches))}
        for is_feedback in (False, True):
            places = [place for place, batch in enumerate(batches) if (batch.kind == FEEDBACK) is is_feedback]
            records = [(place, record) for place in places for record in batches[place].records]
            if records:
                source, log_format = ("receiver:feedback", "feedback") if is_feedback else ("receiver:traces", "otlp")
                texts = [record for _, record in records]
                found = land_records(self._opened(), source, texts, log_format, now=datetime.now(UTC))
                for each in found:
                    refused[records[each.number - 1][0]].append(each)
        return [Landed(tuple(each)) for each in refused.values()]

    def _opened(self) -> Lake:
        if self._lake is None:
            self._lake = Lake.open(self._settings)
        return self._lake

    def _close_lake(self) -> None:
        if self._lake is not None:
            self._lake.close()
            self._lake = None

    async def _merge(self) -> None:
        if self._commits < self._pace.merge_after_commits:
            return
        try:
            await self._in_thread(self._merge_files)
        except TransientError as busy:  # nothing depends on it, and it is tried again
            _log.warning("Small files were not merged: %s", busy)
        else:
            self._commits = 0

    def _merge_files(self) -> None:
        gather_small(self._opened(), LANDED_TABLES)
