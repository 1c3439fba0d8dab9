"""The work that is timed: `python -m benchmarks.cases CASE FOLDER`."""

import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

DAY = date(2026, 1, 1)


def _lake(folder: Path) -> None:
    shutil.rmtree(folder / "lake", ignore_errors=True)
    os.environ["FLYWHEEL_LAKE"] = str(folder / "lake")


def ingest(folder: Path) -> None:
    """Read the logs into a fresh lake: parse, identity, redaction, quarantine, Parquet."""
    _lake(folder)
    from flywheel.core.connections import open_lake
    from flywheel.ingest.files import ingest_file

    with open_lake() as lake:
        for log in sorted(folder.glob("*.jsonl")):
            ingest_file(lake, str(log), now=datetime.now(UTC))


def read_json(folder: Path) -> None:
    """Let DuckDB read the same logs and write zstd Parquet: no identity, no redaction, no quarantine."""
    import duckdb

    duckdb.sql(
        f"copy (select * from read_json('{folder}/*.jsonl', format='newline_delimited')) "  # noqa: S608 - our folder
        f"to '{folder}/bare.parquet' (format parquet, compression zstd)"
    )


def mine(folder: Path) -> None:
    """Mine the busiest day of the lake that `ingest` left."""
    _mine(folder, "select day from raw_traces group by day order by count(*) desc limit 1")


def mine_all(folder: Path) -> None:
    """Mine every day of the lake that `ingest` left, oldest first, in one process."""
    _mine(folder, "select distinct day from raw_traces order by day")


def _mine(folder: Path, days: str) -> None:
    os.environ["FLYWHEEL_LAKE"] = str(folder / "lake")
    from flywheel.core.connections import open_lake
    from flywheel.mine.labels import weigh_signals
    from flywheel.mine.named import name_modes
    from flywheel.mine.repeats import find_repeats
    from flywheel.mine.selection_day import Quota, choose_examples

    with open_lake() as lake:
        for day in lake.frame(days)["day"]:
            for table in ("traces", "feedback", "signals"):
                lake.build(table, day)
            weigh_signals(lake, day)
            lake.build("failures", day)
            find_repeats(lake, day)
            name_modes(lake, day)
            choose_examples(lake, day, Quota(budget=200, audit_count=20))


def _asks(count: int) -> list[str]:
    return [f"question number {number} about my card" for number in range(count)]


def our_client(folder: Path) -> None:
    """Ask 3,000 questions through the client with ledger, cache and budget."""
    from flywheel.core.records import Message
    from flywheel.llm.client import Ask, Provider
    from flywheel.llm.ledger import Ledger

    (folder / "ledger.sqlite").unlink(missing_ok=True)
    with Ledger(folder / "ledger.sqlite") as ledger:
        provider = Provider(os.environ["BENCHMARK_BASE_URL"], "local", ledger)
        provider.ask_all([Ask("wheel-small", (Message("user", text),), "benchmark") for text in _asks(3_000)])


def bare_client(_: Path) -> None:
    """Ask the same with the bare openai client, 32 in flight."""
    import asyncio

    from openai import AsyncOpenAI, DefaultAioHttpClient

    async def ask_all() -> None:
        gate = asyncio.Semaphore(32)
        async with AsyncOpenAI(
            base_url=os.environ["BENCHMARK_BASE_URL"], api_key="local", http_client=DefaultAioHttpClient()
        ) as client:

            async def ask(text: str) -> None:
                async with gate:
                    await client.chat.completions.create(
                        model="wheel-small",
                        messages=[{"role": "user", "content": text}],
                        temperature=0,
                        logprobs=True,
                    )

            await asyncio.gather(*[ask(text) for text in _asks(3_000)])

    asyncio.run(ask_all())


CASES: dict[str, Callable[[Path], None]] = {
    work.__name__: work for work in (ingest, read_json, mine, mine_all, our_client, bare_client)
}

if __name__ == "__main__":
    CASES[sys.argv[1]](Path(sys.argv[2]))
