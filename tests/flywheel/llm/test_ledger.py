import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from flywheel.llm.ledger import CachedAnswer, Call, Ledger

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def call(call_id: str, cost_usd: float = 0.5, purpose: str = "correct", called_at: datetime = NOON) -> Call:
    return Call(call_id, "m", purpose, None, 3, 2, cost_usd, called_at)


def test_a_call_is_written_down_with_its_answer(ledger: Ledger) -> None:
    ledger.record([call("c1")], {"h1": CachedAnswer("hi", 0.25), "h2": CachedAnswer(None, None)})
    assert ledger.cached("h1") == CachedAnswer("hi", 0.25)
    assert ledger.cached("h2") == CachedAnswer(None, None)
    assert ledger.cached("h3") is None
    assert ledger.spent_usd() == 0.5


def test_a_repeated_call_counts_once_and_the_first_answer_stays(ledger: Ledger) -> None:
    for content, cost_usd in (("first", 0.5), ("second", 0.9)):
        ledger.record([call("c1", cost_usd)], {"h1": CachedAnswer(content, None)})
    assert (ledger.spent_usd(), ledger.rows().height) == (0.5, 1)
    assert ledger.cached("h1") == CachedAnswer("first", None)


def test_spending_is_summed_by_purpose_and_time(ledger: Ledger) -> None:
    calls = [call("c1", 0.1), call("c2", 0.2, "evaluate"), call("c3", 0.4, called_at=NOON.replace(hour=18))]
    ledger.record(calls, {})
    evening = NOON.replace(hour=15)
    sums = [
        ledger.spent_usd(),
        ledger.spent_usd("correct"),
        ledger.spent_usd(since=evening),
        ledger.spent_usd("train"),
    ]
    assert sums == pytest.approx([0.7, 0.5, 0.4, 0.0])
    assert ledger.spent_usd("evaluate", since=evening) == 0.0


def test_a_new_ledger_has_spent_nothing(ledger: Ledger) -> None:
    assert ledger.spent_usd() == 0.0
    assert ledger.rows().height == 0


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "control" / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger.record([call("c1")], {"h1": CachedAnswer("hi", 0.25)})
    with Ledger(path) as ledger:
        assert (ledger.spent_usd(), ledger.cached("h1")) == (0.5, CachedAnswer("hi", 0.25))


def test_rows_have_the_columns_of_the_spend_table(ledger: Ledger) -> None:
    late = datetime(2026, 1, 5, 23, 59, 59, 999_999, tzinfo=UTC)
    ledger.record([call("c2", called_at=late), call("c1")], {})
    rows = ledger.rows()
    assert rows["call_id"].to_list() == ["c1", "c2"]
    assert rows["called_at"].to_list() == [NOON, late]
    assert rows["day"].to_list() == [date(2026, 1, 5)] * 2
    assert rows.schema["called_at"] == pl.Datetime("us", "UTC")


def test_a_failed_write_leaves_nothing_half_written_and_the_ledger_usable(ledger: Ledger) -> None:
    with pytest.raises(UnicodeEncodeError):
        ledger.record([call("c1")], {"h1": CachedAnswer("half a character: \ud83d", None)})
    assert (ledger.rows().height, ledger.cached("h1")) == (0, None)
    ledger.record([call("c1")], {"h1": CachedAnswer("whole", None)})
    assert ledger.spent_usd() == 0.5


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from flywheel.llm.ledger import CachedAnswer, Call, Ledger
with Ledger(Path(sys.argv[1])) as ledger:
    for number in range(200):
        name = f"{sys.argv[2]}-{number}"
        spent = Call(name, "m", "correct", None, 1, 1, 0.01, datetime.now(UTC))
        ledger.record([spent], {name: CachedAnswer(name, None), "shared": CachedAnswer(sys.argv[2], None)})
"""


def test_two_processes_write_one_ledger(tmp_path: Path) -> None:
    path, root = tmp_path / "ledger.sqlite", Path(__file__).parents[3]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name], cwd=root, stderr=subprocess.PIPE)
        for name in ("one", "two")
    ]
    assert [(writer.communicate(timeout=60)[1], writer.returncode) for writer in writers] == [(b"", 0)] * 2
    with Ledger(path) as ledger:
        assert ledger.rows().height == 400
        assert ledger.spent_usd() == pytest.approx(4.0)
        shared = ledger.cached("shared")
        assert shared is not None
        assert shared.content in {"one", "two"}
