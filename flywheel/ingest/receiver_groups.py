"""Requests wait here until one commit has landed them all: what is answered is in the lake."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from flywheel.core.errors import TransientError
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings
from flywheel.ingest.receiver_landing import Refused, land_records
from flywheel.ingest.receiver_wire import FEEDBACK, Batch, Refusal

WAITING_BYTES = 64 * 1024 * 1024  # of records not yet landed; more are asked to come again
GROUP_BYTES = 16 * 1024 * 1024  # what one commit lands: bounds memory, and how long the first of a group waits
RETRY_SECONDS = 2  # a commit takes some tenths of a second
_MERGE_AFTER_COMMITS = 50  # each leaves small files
_IDLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of a batch: the records that are in quarantine."""

    refused: tuple[Refused, ...]


Outcome = Landed | Refusal
_Made = TypeVar("_Made")


@dataclass(slots=True)
class _Waiting:
    batch: Batch
    landed: "asyncio.Future[Outcome]"


class Groups:
    """Collect what comes while a commit is under way, and land it with the next one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # one thread has the lake: a connection is not shared, and embedded there is one writer anyway
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="landing")
        self._lake: Lake | None = None
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._arrived = asyncio.Event()
        self._commits = 0

    async def open(self) -> None:
        """Open the lake, so that the first request need not wait for it."""
        await self._in_thread(self._opened)

    async def land(self, batch: Batch) -> Outcome:
        """Return when the batch is in the lake, or why it is not."""
        if self._waiting_bytes + batch.size > WAITING_BYTES:
            return Refusal(429, "More is waiting to be written than fits; send it again.", RETRY_SECONDS)
        waiting = _Waiting(batch, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._waiting_bytes += batch.size
        self._arrived.set()
        return await waiting.landed

    async def run(self) -> None:
        """Land groups until cancelled; merge small files when nothing comes."""
        while True:
            group = self._next_group()
            if group:
                await self._land_group(group)
                continue
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), _IDLE_SECONDS)
            except TimeoutError:
                await self._merge()

    async def close(self) -> None:
        """Land what waits, and give the lake back."""
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
        outcomes = await self._attempt([waiting.batch for waiting in group])
        if isinstance(outcomes, Refusal) and outcomes.status == 400 and len(group) > 1:
            # one of them cannot be read, and must not take the others with it
            for waiting in group:
                await self._land_group([waiting])
            return
        for place, waiting in enumerate(group):
            self._waiting_bytes -= waiting.batch.size
            if not waiting.landed.done():
                waiting.landed.set_result(outcomes if isinstance(outcomes, Refusal) else outcomes[place])

    async def _attempt(self, batches: list[Batch]) -> "list[Landed] | Refusal":
        landing = asyncio.ensure_future(self._in_thread(lambda: self._land_batches(batches)))
        await asyncio.wait([landing])
        error = landing.exception()
        if error is None:
            self._commits += 1
            return landing.result()
        if isinstance(error, TransientError):
            return Refusal(503, str(error), RETRY_SECONDS)
        return Refusal(400, f"The records could not be read: {error}")

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
            self._lake.connection.close()
            self._lake = None

    async def _merge(self) -> None:
        if self._commits < _MERGE_AFTER_COMMITS:
            return
        self._commits = 0
        await self._in_thread(self._merge_files)

    def _merge_files(self) -> None:
        with self._opened().transaction("merge small files") as cursor:
            cursor.execute("call ducklake_flush_inlined_data('lake')").fetchall()
            cursor.execute("call ducklake_merge_adjacent_files('lake')").fetchall()
