"""Bulk logs have the product's shape, the asked number of rows, and the same bytes for a seed."""

import json
from collections import Counter
from datetime import UTC, datetime

from flywheel.scenario.bank import intents
from flywheel.scenario.logs import as_lines
from flywheel.scenario.scale import write_traces
from flywheel.scenario.traffic import Call, Reply, record_of


def rows_of(paths):
    return [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]


def test_rows_are_split_over_files(tmp_path):
    paths = write_traces(tmp_path, 2_500, 1, 1_000)
    assert [path.name for path in paths] == ["traces-00000.jsonl", "traces-00001.jsonl", "traces-00002.jsonl"]
    assert [len(path.read_text("utf-8").splitlines()) for path in paths] == [1_000, 1_000, 500]


def test_the_seed_decides_the_bytes(tmp_path):
    def written(folder, seed):
        return [path.read_bytes() for path in write_traces(tmp_path / folder, 300, seed, 200)]

    first = written("first", 1)
    assert written("again", 1) == first
    assert written("other", 2) != first


def test_rows_look_like_the_products(tmp_path):
    call = Call("k", "w", "c", "c-1", "u-1", datetime(2026, 3, 1, tzinfo=UTC), "s", "t", Reply("l", 1, 1, 1, "m"))
    like = json.loads(as_lines([record_of(call)])[0])
    for row in rows_of(write_traces(tmp_path, 200, 1, 200)):
        assert list(row) == list(like)
        assert list(row["request"]) == list(like["request"])
        assert list(row["response"]) == list(like["response"])
        assert row["response"]["choices"][0].keys() == like["response"]["choices"][0].keys()


def test_rows_are_distinct_ordered_and_labelled(tmp_path):
    rows = rows_of(write_traces(tmp_path, 3_000, 1, 3_000))
    stamps = [row["timestamp"] for row in rows]
    assert stamps == sorted(stamps)
    assert stamps[0] == "2026-01-01T00:00:00.000000Z"
    assert max(stamps) < "2026-01-31"
    assert len({row["response"]["id"] for row in rows}) == 3_000
    assert len({row["request"]["messages"][1]["content"] for row in rows}) == 3_000
    assert {row["response"]["choices"][0]["message"]["content"] for row in rows} <= set(intents())


def test_a_conversation_has_one_user(tmp_path):
    rows = rows_of(write_traces(tmp_path, 3_000, 1, 3_000))
    users = {}
    for row in rows:
        assert users.setdefault(row["conversation_id"], row["user"]) == row["user"]
    turns = Counter(row["conversation_id"] for row in rows)
    assert 0.8 < len(turns) / 3_000 < 0.9


def test_no_rows_no_files(tmp_path):
    assert write_traces(tmp_path, 0, 1, 10) == []
