"""After forgetting, no byte under the lake tells of the person, and reading the same log does not bring them back."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flywheel.core.lake import Lake
from flywheel.core.purge import purge_history
from flywheel.core.settings import Settings
from flywheel.core.storage import Store, open_store
from flywheel.ingest.files import IngestReport
from flywheel.ingest.forget import Forgotten, forget, preview, without_forgotten
from flywheel.ingest.forget_places import ReleaseHit
from flywheel.ingest.forget_rows import Subject
from flywheel.ingest.receiver_landing import land_records
from flywheel.llm.ledger import CachedAnswer, Ledger

DAY, NOW = date(2026, 1, 5), datetime(2026, 1, 7, tzinfo=UTC)
MARK = "zebrafish"  # in everything Ann's calls say, and in nothing else
Read = Callable[..., IngestReport]
Record = Callable[..., dict[str, Any]]
Write = Callable[..., Path]


@pytest.fixture
def store(settings: Settings) -> Store:
    return open_store(settings)


@pytest.fixture
def log(write_log: Callable[..., Path], record: Callable[..., dict[str, Any]]) -> Path:
    """Write calls of two people, feedback of each on the other's, and a line of Ann's that is no trace."""
    said = {"kind": "comment", "text": f"{MARK} comment", "user": "ann"}
    records = [record(number, query=f"query {number}", output=f"answer {number}", user="bob") for number in range(20)]
    records += [
        record(number, query=f"{MARK} {number}", output=f"aaa {MARK} {number}", user="ann", client_id=f"zz{MARK}")
        for number in range(20, 32)
    ]
    records[0] = records[0] | {"feedback": [said, {"kind": "thumb", "value": -1, "user": "bob"}]}
    records[20] = records[20] | {"feedback": [{"kind": "comment", "text": f"of bob on {MARK}", "user": "bob"}]}
    return write_log(*records, record(40, query=f"{MARK} no time", user="ann", timestamp=None))


@pytest.fixture
def told(lake: Lake, store: Store, settings: Settings, read: Read, log: Path) -> Lake:
    """Read the log and carry call 25 of Ann's through all tables it may come to."""
    read(lake, log)
    lake.build("traces", DAY)
    lake.build("feedback", DAY)
    trace_id = lake.scalar("select trace_id from raw_traces where response_id = 'r-25'")
    other_id = lake.scalar("select trace_id from raw_traces where response_id = 'r-0'")
    rows: dict[str, list[dict[str, Any]]] = {
        "mode_members": [{"trace_id": trace_id, "mode_id": "m1"}, {"trace_id": other_id, "mode_id": "m2"}],
        "failure_modes": [
            {"mode_id": "m1", "name": MARK, "description": f"e.g. {MARK}"},
            {"mode_id": "m2", "name": "other", "description": f"e.g. {MARK} comment"},
        ],
        "duplicates": [{"trace_id": trace_id, "group_id": trace_id}],
        "routes": [{"example_id": "e1"}, {"example_id": "e2"}],
        "review_queue": [{"example_id": "e1", "trace_id": trace_id, "query": MARK}],
        "answers": [{"example_id": "e1", "answer_id": "a1", "output": MARK}, {"example_id": "e2", "answer_id": "a2"}],
    }
    made = {
        "signals": [{"trace_id": other_id, "signal": "comment", "evidence": f"{MARK} comment"}],
        "failures": [{"trace_id": trace_id, "note": MARK}, {"trace_id": other_id, "note": f"{MARK} comment"}],
        "hard_examples": [{"example_id": "e1", "trace_id": trace_id}, {"example_id": "e2", "trace_id": other_id}],
        "corrections": [{"correction_id": "c1", "example_id": "e1", "trace_id": trace_id, "chosen": MARK}],
        "preferences": [{"preference_id": "p1", "correction_id": "c1", "chosen": MARK}],
        "judgements": [{"example_id": "e1", "judge": "j"}],
    }
    for table, given in (rows | made).items():
        lake.replace(table, DAY, lake.typed(table, given))
    store.put("inbox/1.jsonl", f'{{"example_id": "e1", "chosen": "{MARK}"}}\n{{"example_id": "e2"}}\n'.encode())
    store.put("reports/modes.html", f"<p>{trace_id} {MARK}</p>".encode())
    with Ledger(settings.control_folder / "ledger.sqlite") as ledger:
        ledger.record([], {"h1": CachedAnswer(MARK, None, "e1"), "h2": CachedAnswer("fine", None, "e2")})
    return lake


def forgotten(lake: Lake, store: Store, kind: str = "actor", name: str = "ann") -> Forgotten:
    return forget(lake, store, Subject(kind, name), NOW)


def files_with(folder: str, mark: str) -> list[str]:
    found = [path for path in Path(folder).rglob("*") if path.is_file() and mark.encode() in path.read_bytes()]
    return [str(path.relative_to(folder)) for path in found]


def test_no_byte_under_the_lake_tells_of_a_forgotten_person(told: Lake, store: Store, settings: Settings) -> None:
    assert len(files_with(settings.lake_root, MARK)) > 5
    done = forgotten(told, store)
    assert files_with(settings.lake_root, MARK) == []
    assert done.trace_count == 12
    assert dict(done.removed) == {
        "answers": 1, "cached_replies": 1, "corrections": 1, "duplicates": 1, "failure_modes": 2, "failures": 2,
        "feedback": 2, "hard_examples": 1, "inbox_lines": 1, "judgements": 1, "mode_members": 1, "preferences": 1,
        "quarantine": 1, "raw_feedback": 2, "raw_traces": 12, "reports": 1, "review_queue": 1, "routes": 1,
        "signals": 1, "traces": 12,
    }  # fmt: skip


def test_what_others_said_stays(told: Lake, store: Store) -> None:
    forgotten(told, store)
    assert told.scalar("select count(*) from raw_traces") == 20
    assert told.scalar("select count(*) from traces") == 20
    assert told.frame("select kind from raw_feedback")["kind"].to_list() == ["thumb"]
    assert told.frame("select answer_id from answers")["answer_id"].to_list() == ["a2"]
    assert store.read("inbox/1.jsonl") == b'{"example_id": "e2"}\n'


def test_reading_the_same_log_again_brings_nobody_back(told: Lake, store: Store, read: Read, log: Path) -> None:
    forgotten(told, store)
    again = log.with_name("again.jsonl")
    again.write_bytes(log.read_bytes())
    report = read(told, again)
    assert (report.read, report.landed, report.quarantined) == (33, 0, 0)
    assert told.scalar("select count(*) from raw_traces") == 20
    assert told.scalar("select count(*) from raw_feedback") == 1
    assert told.scalar("select count(*) from quarantine") == 0


_LONG = b'{"request":{"messages":[{"role":"user","content":"' + b"x" * 20_000 + b'"}]},"user":"%s"}'
# how a line tells whose it is -> the name, a line of theirs that is refused, one of somebody else
REFUSED = {
    "behind the cut": ("ann", _LONG % b"ann", _LONG % b"bob"),
    "a number": (
        "42",
        b'{"request":{"messages":[{"role":"user","content":"x"}]},"user":42}',
        b'{"request":{"messages":[{"role":"user","content":"42 of 42, 42"}]},"user":142}',
    ),
    "a number in a broken line": ("42", b'{"user": 42, "request"', b'{"user": 142, "request"'),
    "a cell": ("ann", b"2026-01-05;ann;hello", b"2026-01-05;joanne;ann of green gables"),
}


@pytest.fixture
def read_lines(lake: Lake, read: Read, record: Record, write_log: Write) -> Callable[..., IngestReport]:
    """Return what reads a record of Bob's and other lines."""
    return lambda *lines, name: read(lake, write_log(record(1, user="bob"), *lines, name=name))


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_refused_lines_of_a_person_go_and_stay_out(
    lake: Lake, store: Store, read_lines: Callable[..., IngestReport], case: tuple[str, bytes, bytes]
) -> None:
    name, *lines = case
    assert read_lines(*lines, name="a.jsonl").quarantined == 2
    assert forgotten(lake, store, name=name).removed["quarantine"] == 1
    assert lake.frame("select source_line from quarantine").rows() == [(3,)]
    again = read_lines(*lines, name="again.jsonl")
    assert (again.read, again.duplicates, again.quarantined) == (3, 2, 1)


def test_a_received_line_of_another_with_the_same_number_stays(lake: Lake, store: Store, record: Record) -> None:
    for user, stamp in (("ann", "2026-01-05T10:00:00Z"), ("bob", None)):
        line = json.dumps(record(len(user + str(stamp)), user=user, timestamp=stamp))
        land_records(lake, "receiver:traces", [line], "openai", now=NOW)
    assert dict(forgotten(lake, store).removed) == {"raw_traces": 1}
    assert lake.scalar("select count(*) from quarantine") == 1


def test_forgetting_twice_is_forgetting_once(told: Lake, store: Store) -> None:
    first = forgotten(told, store)
    tombstones = told.frame("from forgotten order by subject_hash")
    second = forgotten(told, store)
    assert dict(second.removed) == {}
    assert told.frame("from forgotten order by subject_hash").equals(tombstones)
    main = told.frame("select trace_count, removed from forgotten where kind = 'actor'").row(0)
    assert (main[0], json.loads(main[1])) == (12, dict(first.removed))


def test_a_tombstone_names_nobody(told: Lake, store: Store) -> None:
    trace_id = told.scalar("select trace_id from raw_traces where response_id = 'r-25'")
    forgotten(told, store)
    written = str(told.frame("from forgotten").rows())
    assert [name for name in ("ann", "r-25", trace_id) if name in written] == []


def test_one_call_is_forgotten_by_any_of_its_ids(told: Lake, store: Store, settings: Settings) -> None:
    done = forgotten(told, store, "trace", "r-25")
    assert (done.trace_count, done.removed["raw_traces"]) == (1, 1)
    assert files_with(settings.lake_root, f"{MARK} 25") == []
    assert told.scalar("select count(*) from raw_traces") == 31


def test_a_preview_counts_the_same_and_changes_nothing(told: Lake, store: Store) -> None:
    version = told.version()
    seen = preview(told, store, Subject("actor", "ann"))
    assert told.version() == version
    done = forgotten(told, store)
    assert seen.is_dry_run
    assert (seen.trace_count, seen.days) == (done.trace_count, done.days)
    assert {**seen.removed, "failure_modes": 2} == dict(done.removed)


def test_somebody_the_lake_does_not_know_yet_stays_out(lake: Lake, store: Store, read: Read, log: Path) -> None:
    assert dict(forgotten(lake, store).removed) == {}
    assert read(lake, log).landed == 20


def test_older_versions_are_gone(told: Lake, store: Store, settings: Settings) -> None:
    forgotten(told, store)
    assert told.scalar("select count(*) from lake.snapshots()") == 1
    told.build("traces", DAY)
    assert told.scalar("select count(*) from traces") == 20


def test_releases_that_contain_some_of_it_are_listed(told: Lake, store: Store) -> None:
    from flywheel.core.releases import publish_files

    frame = pl.DataFrame({"correction_id": ["c1", "c9"], "example_id": ["e1", "e9"], "chosen": ["x", "y"]})
    for names in (["c1", "c9"], ["c9"]):
        data = _parquet(frame.filter(pl.col("correction_id").is_in(names)))
        publish_files(store, "corrections", {"train.parquet": data}, {"content_hash": str(names)}, NOW)
    assert forgotten(told, store).releases == (ReleaseHit("corrections", 1, 1),)


def test_frames_pass_untouched_where_nobody_was_forgotten(lake: Lake) -> None:
    frame = pl.DataFrame({"trace_id": ["a"], "aliases": [["b"]]})
    assert without_forgotten(lake, frame) is frame


def test_feedback_that_names_a_forgotten_call_by_another_id_stays_out(told: Lake, store: Store) -> None:
    forgotten(told, store)
    late = pl.DataFrame({"target_id": ["r-25", "r-3", None], "trace_id": [None, None, "x"]})
    assert without_forgotten(told, late)["target_id"].to_list() == ["r-3", None]
    named = pl.DataFrame({"trace_id": ["x", "y"], "aliases": [["r-25", "q"], ["q"]]})
    assert without_forgotten(told, named)["trace_id"].to_list() == ["y"]


def test_purging_a_lake_changes_no_row(told: Lake) -> None:
    rows = told.frame("from raw_traces order by trace_id")
    purge_history(told)
    assert told.frame("from raw_traces order by trace_id").equals(rows)


def _parquet(frame: pl.DataFrame) -> bytes:
    import io

    written = io.BytesIO()
    frame.write_parquet(written)
    return written.getvalue()
