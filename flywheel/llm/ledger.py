"""What was paid, and for what: every call is written down before its answer is used.

The same file caches answers by the hash of the whole request, so that a rerun after a crash pays nothing twice.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import polars as pl

_SCHEMA = """
create table if not exists calls (
    call_id text primary key, model text not null, purpose text not null, example_id text,
    input_tokens integer not null, output_tokens integer not null, cost_usd real not null, called_at text not null
);
create table if not exists answers (
    request_hash text primary key, content text, confidence real, example_id text
);
create index if not exists calls_by_time on calls (called_at);
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One paid call."""

    call_id: str
    model: str
    purpose: str
    example_id: str | None
    input_tokens: int
    output_tokens: int
    cost_usd: float
    called_at: datetime


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """What a model said to a request that was paid before."""

    content: str | None
    confidence: float | None
    example_id: str | None = None  # whose content the request was made of


class Ledger:
    """A SQLite file beside the lake; several processes may write to it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.executescript(_SCHEMA)
        if "example_id" not in {row[1] for row in self._connection.execute("pragma table_info(answers)")}:
            self._connection.execute("alter table answers add column example_id text")  # a file of an older version

    def __enter__(self) -> Self:
        """Return the ledger itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close the file."""
        self._connection.close()

    def record(self, paid: Iterable[Call], answers: Mapping[str, CachedAnswer]) -> None:
        """Write calls and their answers (by request hash) in one transaction; a repeated call id counts once."""
        calls = [
            (*[value for key, value in asdict(call).items() if key != "called_at"], call.called_at.isoformat())
            for call in paid
        ]
        said = [(key, answer.content, answer.confidence, answer.example_id) for key, answer in answers.items()]
        self._connection.execute("begin immediate")
        with self._connection:  # commits, or rolls back where a value cannot be written
            self._connection.executemany("insert or ignore into calls values (?, ?, ?, ?, ?, ?, ?, ?)", calls)
            self._connection.executemany("insert or ignore into answers values (?, ?, ?, ?)", said)

    def cached(self, request_hash: str) -> CachedAnswer | None:
        """Return the answer to a request paid before, or None."""
        row = self._connection.execute(
            "select content, confidence, example_id from answers where request_hash = ?", (request_hash,)
        ).fetchone()
        return None if row is None else CachedAnswer(*row)

    def drop_answers(self, example_ids: Iterable[str], *, is_dry_run: bool = False) -> int:
        """Drop cached answers about examples, and those of which nobody knows what they are about; count them."""
        wanted = json.dumps(sorted(example_ids))
        about = "example_id is null or example_id in (select value from json_each(?))"
        count = self._connection.execute(f"select count(*) from answers where {about}", (wanted,)).fetchone()[0]  # noqa: S608
        if not is_dry_run:
            self._connection.execute(f"delete from answers where {about}", (wanted,))  # noqa: S608
        return int(count)

    def spent_usd(self, purpose: str | None = None, since: datetime | None = None) -> float:
        """Return the sum of all calls, or of one purpose, or since a moment."""
        row = self._connection.execute(
            "select coalesce(sum(cost_usd), 0) from calls "
            "where (?1 is null or purpose = ?1) and (?2 is null or called_at >= ?2)",
            (purpose, since.isoformat() if since else None),
        ).fetchone()
        return float(row[0])

    def rows(self) -> pl.DataFrame:
        """Return all calls as rows of the `spend` table."""
        cursor = self._connection.execute("select * from calls order by called_at, call_id")
        names = [column[0] for column in cursor.description]
        frame = pl.DataFrame(cursor.fetchall(), schema=names, orient="row", infer_schema_length=None)
        called_at = pl.col("called_at").cast(pl.String).str.to_datetime(time_zone="UTC")
        return frame.with_columns(called_at.alias("called_at"), called_at.dt.date().alias("day"))
