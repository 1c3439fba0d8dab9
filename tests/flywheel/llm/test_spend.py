from datetime import UTC, date, datetime

import pytest

from flywheel.core.lake import Lake
from flywheel.llm.ledger import Call, Ledger
from flywheel.llm.spend import record_spend


def call(call_id: str, day: int, cost_usd: float) -> Call:
    return Call(call_id, "m", "correct", "e1", 3, 2, cost_usd, datetime(2026, 1, day, 12, tzinfo=UTC))


def test_the_ledger_is_copied_into_the_lake_once(ledger: Ledger) -> None:
    with Lake.in_memory() as lake:
        assert record_spend(lake, ledger) == 0
        ledger.record([call("c1", 5, 0.1), call("c2", 6, 0.2)], {})
        assert [record_spend(lake, ledger, "run-1"), record_spend(lake, ledger, "run-2")] == [2, 0]
        ledger.record([call("c2", 6, 0.2), call("c3", 6, 0.4)], {})
        assert record_spend(lake, ledger, "run-3") == 1
        rows = lake.frame("select day, call_id, example_id, run_id from spend order by call_id").rows()
        assert rows == [
            (date(2026, 1, 5), "c1", "e1", "run-1"),
            (date(2026, 1, 6), "c2", "e1", "run-1"),
            (date(2026, 1, 6), "c3", "e1", "run-3"),
        ]
        assert lake.scalar("select sum(cost_usd) from spend") == pytest.approx(ledger.spent_usd())
