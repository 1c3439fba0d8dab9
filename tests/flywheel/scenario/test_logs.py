"""Log files hold one record per line, appear whole, and can be damaged on purpose."""

import json

import pytest

from flywheel.scenario.logs import as_lines, sprinkle_malformed, write_log

RECORDS = [{"user": f"u-{number}", "text": "Überweisung"} for number in range(40)]


def parses_as_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line.decode()), dict)
    except ValueError:
        return False


def test_a_written_log_reads_back(tmp_path):
    path = tmp_path / "day" / "traces.jsonl"
    assert write_log(path, RECORDS) == 40
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == RECORDS
    assert [file.name for file in path.parent.iterdir()] == ["traces.jsonl"]


def test_nothing_is_left_of_a_log_that_broke_off(tmp_path):
    def breaks_off():
        yield RECORDS[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_log(tmp_path / "traces.jsonl", breaks_off())
    assert not (tmp_path / "traces.jsonl").exists()


def test_malformed_lines_are_added_and_nothing_is_lost(tmp_path):
    lines = as_lines(RECORDS)
    damaged = sprinkle_malformed(lines, 3, 9)
    broken = [line for line in damaged if not parses_as_object(line)]
    assert [line for line in damaged if parses_as_object(line)] == lines
    assert len(broken) == 9
    assert sum(b"\xff" in line for line in broken) == 3
    assert write_log(tmp_path / "traces.jsonl", damaged) == 49


def test_the_same_seed_does_the_same_damage():
    lines = as_lines(RECORDS)
    assert sprinkle_malformed(lines, 3, 9) == sprinkle_malformed(lines, 3, 9)
    assert sprinkle_malformed(lines, 3, 9) != sprinkle_malformed(lines, 4, 9)


def test_an_empty_log_can_be_damaged():
    assert len(sprinkle_malformed([], 1, 3)) == 3
