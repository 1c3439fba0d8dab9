"""Which rows of the lake tell of a person or a call: found by the ids they carry, in whatever table there is."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from flywheel.ingest.actors import actor_hash
from flywheel.ingest.redaction import meaning_of, redacted_id

# They hold no content: what was paid stays paid, what was read stays read, and tombstones are what is left.
KEPT_TABLES = ("spend", "sources", "forgotten")
_EVIDENCE_TABLES = ("signals", "failures")  # they quote feedback, also on calls of others

_TRACES = """
select trace_id, response_id, conversation_id, aliases, source_file, source_line, day from raw_traces
where actor_hash in (select unnest($actors::varchar[]))
    or trace_id in (select unnest($ids::varchar[])) or response_id in (select unnest($ids::varchar[]))
    or list_has_any(aliases, $ids::varchar[])
"""
_FEEDBACK = """
select
    feedback_id, trace_id, source_file, source_line, day,
    actor_hash in (select unnest($actors::varchar[])) as is_own
from raw_feedback
where actor_hash in (select unnest($actors::varchar[])) or trace_id in (select unnest($ids::varchar[]))
    or target_id in (select unnest($ids::varchar[]))
"""
_ALONE = """
select distinct conversation_id from raw_traces
where conversation_id in (select unnest($conversations::varchar[]))
group by conversation_id having bool_and(trace_id in (select unnest($traces::varchar[])))
"""
_EXAMPLES = """
select example_id from hard_examples where trace_id in (select unnest($traces::varchar[]))
union select example_id from review_queue where trace_id in (select unnest($traces::varchar[]))
union select example_id from corrections where trace_id in (select unnest($traces::varchar[]))
"""
_ANSWERS = "select answer_id from answers where example_id in (select unnest($examples::varchar[]))"
_CORRECTIONS = """
select correction_id from corrections
where trace_id in (select unnest($traces::varchar[])) or example_id in (select unnest($examples::varchar[]))
"""
_COLUMNS = """
select table_name, list(column_name) as columns from duckdb_columns()
where database_name = 'lake' and table_name in (
    select table_name from duckdb_tables() where database_name = 'lake'
) group by table_name order by table_name
"""

# texts of JSON; what stands between the borders of cells and values
_TEXT = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BORDER = re.compile(r"[\[\]{},;:|\t\r\n]")
_BARE = r"(?:^|[\[{{,;:|\t\r\n])\s*{}\s*(?:$|[\]}},;:|\t\r\n])"


@dataclass(frozen=True, slots=True)
class Subject:
    """Who or what is to be forgotten: a person by name, or a call by one of its ids."""

    kind: str  # actor or trace
    name: str

    @property
    def actors(self) -> list[str]:
        """Return the hash by which the lake knows the person."""
        return [actor_hash(self.name)] if self.kind == "actor" else []

    @property
    def ids(self) -> list[str]:
        """Return the id as it came, and as it is written where it holds personal data."""
        return sorted({self.name, redacted_id(self.name)}) if self.kind == "trace" else []

    @property
    def quoted(self) -> str:
        """Return what a refused line of JSON that tells of it contains."""
        return json.dumps(self.name, ensure_ascii=False)

    @property
    def bare(self) -> str:
        """Return a pattern for it without quotes: a number of JSON, a cell of CSV."""
        return _BARE.format(re.escape(self.name))


@dataclass(frozen=True, slots=True)
class Told:
    """Ids of all rows that tell of a subject, by the column that holds them, and the lines they came from."""

    subject: Subject
    ids: Mapping[str, frozenset[str]]
    others_trace_ids: frozenset[str]  # calls of others the person said something about
    aliases: frozenset[str]
    lines: frozenset[str]
    days: tuple[str, ...]

    def conditions(self, table: str, columns: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield conditions, with their parameters, that rows of the table meet if they are to go."""
        for column, ids in self.ids.items():
            wanted = ids | self.others_trace_ids if table in _EVIDENCE_TABLES and column == "trace_id" else ids
            if column in columns and wanted:
                yield f"{column} in (select unnest(${column}::varchar[]))", {column: sorted(wanted)}
        if table == "quarantine":
            yield "contains(raw, $quoted)", {"quoted": self.subject.quoted}
            yield "actor_hash is null and regexp_matches(raw, $bare)", {"bare": self.subject.bare}
            yield (
                "concat_ws(':', source_file, source_line) in (select unnest($lines::varchar[]))",
                {"lines": sorted(self.lines)},
            )


def rows_that_tell(cursor: Any, subject: Subject) -> Told:
    """Find the ids of everything that came from the subject's calls and feedback."""

    def frame(statement: str, **parameters: object) -> pl.DataFrame:
        return cursor.execute(statement, parameters).pl()  # type: ignore[no-any-return] # DuckDB's frames are Polars'

    traces = frame(_TRACES, actors=subject.actors, ids=subject.ids)
    trace_ids = frozenset(traces["trace_id"])
    aliases = {*traces["response_id"].drop_nulls(), *traces["aliases"].explode().drop_nulls(), *subject.ids}
    conversations = sorted(set(traces["conversation_id"].drop_nulls()))
    aliases |= set(frame(_ALONE, conversations=conversations, traces=sorted(trace_ids))["conversation_id"])
    feedback = frame(_FEEDBACK, actors=subject.actors, ids=sorted(trace_ids | aliases))
    examples = frozenset(frame(_EXAMPLES, traces=sorted(trace_ids))["example_id"].drop_nulls())
    answers = frozenset(frame(_ANSWERS, examples=sorted(examples))["answer_id"])
    corrections = frozenset(frame(_CORRECTIONS, traces=sorted(trace_ids), examples=sorted(examples))["correction_id"])
    ids = {
        "trace_id": trace_ids,
        "example_id": examples,
        "answer_id": answers,
        "correction_id": corrections,
        "feedback_id": frozenset(feedback["feedback_id"]),
        "target_id": frozenset(trace_ids | aliases),
        "actor_hash": frozenset(subject.actors),
    }
    came = pl.concat([rows.select("source_file", "source_line", "day") for rows in (traces, feedback)])
    return Told(
        subject=subject,
        ids=ids | {"refused_id": frozenset().union(*ids.values())},
        others_trace_ids=frozenset(feedback.filter("is_own")["trace_id"].drop_nulls()) - trace_ids,
        aliases=frozenset(aliases - trace_ids),
        # what a receiver got has no file: its lines are numbers within one request
        lines=frozenset(f"{file}:{line}" for file, line, _ in came.iter_rows() if not _is_received(file)),
        days=tuple(sorted({str(day) for day in came["day"]})),
    )


def words_of(raw: str, *, is_parsed: bool) -> set[str]:
    """Return what of a refused line may name somebody: its texts, and unless it was parsed its numbers and cells."""
    words = {meaning_of(literal) for literal in _TEXT.findall(raw)}
    return words if is_parsed else words | {cell.strip() for cell in _BORDER.split(raw)} - {""}


def _is_received(source: str | None) -> bool:
    return source is not None and source.startswith("receiver:")


def tables_of(cursor: Any) -> dict[str, list[str]]:
    """Return the tables that hold content, with their columns; tables of parts added later are among them."""
    return {table: columns for table, columns in cursor.execute(_COLUMNS).fetchall() if table not in KEPT_TABLES}
