"""Requests wait for one commit together; what is more than may wait is asked to come again."""

import asyncio
import json

from flywheel.core.lake import Lake
from flywheel.core.settings import Settings
from flywheel.ingest.receiver_groups import WAITING_BYTES, Groups, Landed
from flywheel.ingest.receiver_wire import FEEDBACK, Batch, Refusal


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
        first = asyncio.create_task(groups.land(Batch(FEEDBACK, (" " * WAITING_BYTES,))))
        await asyncio.sleep(0)
        second = await groups.land(said(1))
        is_waiting = not first.done()
        first.cancel()
        return second, is_waiting

    second, is_waiting = asyncio.run(send())
    assert isinstance(second, Refusal)
    assert (second.status, second.retry_after_seconds > 0, is_waiting) == (429, True, True)
