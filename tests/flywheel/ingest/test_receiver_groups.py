"""Requests wait for one commit together; what is more than may wait is asked to come again."""

import asyncio
import json
import threading
import time
from pathlib import Path

from starlette.testclient import TestClient

from flywheel.core.errors import LakeBusy
from flywheel.core.lake import Lake
from flywheel.core.lake_catalog import named_files
from flywheel.core.settings import Settings
from flywheel.ingest.receiver import create_app
from flywheel.ingest.receiver_groups import Groups, Landed, Pace
from flywheel.ingest.receiver_wire import FEEDBACK, Batch, Refusal, most_of_records


def said(number: int) -> Batch:
    return Batch(FEEDBACK, (json.dumps({"target": f"r-{number}", "kind": "thumb", "value": 1}),))


def test_what_arrives_together_is_one_commit(settings: Settings) -> None:
    async def send() -> list[Landed | Refusal]:
        groups = Groups(settings)
        arriving = [asyncio.create_task(groups.land(said(number))) for number in range(20)]
        await asyncio.sleep(0)  # all of them wait now
        await groups.close()
        return [await each for each in arriving]

    with Lake.open(settings) as lake:
        before = lake.version()
        assert asyncio.run(send()) == [Landed(())] * 20
        assert lake.version() == before + 1
        assert lake.scalar("select count(*) from raw_feedback") == 20


def test_who_sends_more_than_may_wait_is_told_when_to_come_again(settings: Settings) -> None:
    async def send() -> tuple[Landed | Refusal, bool]:
        groups = Groups(settings)
        most = most_of_records(settings.receive_limit_mb)
        first = asyncio.create_task(groups.land(Batch(FEEDBACK, (" " * (most - 100),))))
        await asyncio.sleep(0)
        second = await groups.land(said(1))
        is_waiting = not first.done()
        first.cancel()
        return second, is_waiting

    second, is_waiting = asyncio.run(send())
    assert isinstance(second, Refusal)
    assert (second.status, second.retry_after_seconds > 0, is_waiting) == (429, True, True)


def test_who_alone_sends_more_than_may_ever_wait_is_not_asked_to_come_again(settings: Settings) -> None:
    large = Batch(FEEDBACK, (" " * most_of_records(settings.receive_limit_mb),))
    found = asyncio.run(Groups(settings).land(large))
    assert isinstance(found, Refusal)
    assert (found.status, found.retry_after_seconds) == (413, 0)


def test_small_commits_become_one_file_when_it_is_quiet(settings: Settings) -> None:
    def thumbs(part: int) -> Batch:
        return Batch(FEEDBACK, tuple(said(100 * part + number).records[0] for number in range(12)))

    async def send() -> None:
        groups = Groups(settings, Pace(merge_after_commits=3, idle_seconds=0.05))
        await groups.open()
        for part in range(3):
            assert await groups.land(thumbs(part)) == Landed(())
        for _ in range(600):
            if await asyncio.to_thread(gathered_days):
                break
            await asyncio.sleep(0.1)
        await groups.close()

    def gathered_days() -> int:
        with Lake.open(settings) as lake:
            made = "select count(*) from lake.snapshots() where starts_with(commit_message, 'compact raw_feedback')"
            return int(lake.scalar(made))

    asyncio.run(send())
    with Lake.open(settings) as lake:
        live = [file for file in named_files(lake).values() if file.table == "raw_feedback" and file.end is None]
        assert ([file.row_count for file in live], lake.scalar("select count(*) from raw_feedback")) == ([36], 36)


class Unmerged(Groups):
    """Groups whose small files cannot be merged, for a reason."""

    def __init__(self, settings: Settings, reason: Exception) -> None:
        super().__init__(settings, Pace(merge_after_commits=1, idle_seconds=0.01))
        self.reason = reason
        self.tries = 0
        self.tried = threading.Event()

    def _merge_files(self) -> None:
        self.tries += 1
        self.tried.set()
        raise self.reason


async def _sent_after_a_merge(groups: Unmerged) -> tuple[Landed | Refusal, bool]:
    await groups.open()
    assert await groups.land(said(1)) == Landed(())
    await asyncio.to_thread(groups.tried.wait, 60)
    await asyncio.sleep(0.1)
    found = await asyncio.wait_for(groups.land(said(2)), 60)
    is_broken = groups.is_broken
    await groups.close()
    return found, is_broken


def test_a_busy_lake_at_housekeeping_stops_nothing_and_it_is_tried_again(settings: Settings) -> None:
    groups = Unmerged(settings, LakeBusy("lake", 120))
    assert asyncio.run(_sent_after_a_merge(groups)) == (Landed(()), False)
    assert groups.tries > 1


def test_when_nothing_can_be_landed_any_more_it_is_said(settings: Settings) -> None:
    found, is_broken = asyncio.run(_sent_after_a_merge(Unmerged(settings, RuntimeError("a bug"))))
    assert isinstance(found, Refusal)
    assert (found.status, found.retry_after_seconds > 0, is_broken) == (503, True, True)


def test_health_says_so_too(settings: Settings) -> None:
    groups = Unmerged(settings, RuntimeError("a bug"))
    with TestClient(create_app(settings, groups)) as client:
        assert client.get("/health").status_code == 200
        item = {"target": "r-1", "kind": "thumb", "value": 1}
        assert client.post("/v1/feedback", json=item).status_code == 200
        assert groups.tried.wait(60)
        time.sleep(0.1)
        assert client.get("/health").status_code == 503
        refused = client.post("/v1/feedback", json=item)
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)


def test_a_disk_that_takes_nothing_is_no_fault_of_the_records(settings: Settings) -> None:
    tables = Path(settings.lake, "tables")  # where the rows' files would go

    async def send() -> list[Landed | Refusal]:
        groups = Groups(settings)
        await groups.open()
        await asyncio.to_thread(tables.write_text, "no folder")
        texts = (json.dumps({"target": f"r-{number}", "kind": "thumb", "value": 1}) for number in range(5_000))
        many = Batch(FEEDBACK, tuple(texts))
        found = list(await asyncio.gather(groups.land(many), groups.land(many)))
        await groups.close()
        return found

    for found in asyncio.run(send()):
        assert isinstance(found, Refusal)
        assert (found.status, found.retry_after_seconds > 0) == (503, True)
