"""Every query has at least two examples, and the examples themselves can fail."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flywheel.core.queries import load_folder, load_tables

Runner = Callable[[str, tuple[str, ...]], None]

TABLES = [name for name, table in load_tables().items() if table.is_built]
PARTS = [f"{kind}/{name}" for kind in ("signals", "ingest", "views") for name in load_folder(kind)]

CASE = """\
# Two traces, one conversation.
given:
  raw_traces:
    - {day: 2026-01-01, trace_id: a, conversation_id: c, latency_ms: 1.5}
    - {day: 2026-01-01, trace_id: b, conversation_id: c}
when: {day: 2026-01-01}
expect: [{trace_id: a, turn: 1, latency_ms: 1.5}, {trace_id: b, turn: 2, latency_ms: null}]
"""


@pytest.mark.parametrize("place", [*TABLES, *PARTS])
def test_query_has_two_cases(place: str, cases_folder: Path) -> None:
    cases = list((cases_folder / place).glob("*.yaml"))
    assert len(cases) >= 2, f"sql/: {place} has {len(cases)} case(s); add tests/sql/{place}/<case>.yaml"


def test_every_case_is_about_a_query(cases_folder: Path) -> None:
    folders = {str(path.parent.relative_to(cases_folder)) for path in cases_folder.rglob("*.yaml")}
    assert folders == {*TABLES, *PARTS}


def test_case_passes_on_its_rows(run_case: Runner) -> None:
    run_case(CASE, ("traces",))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("turn: 2", "turn: 3", "expected and not there.*'turn': 3.*there and not expected.*'turn': 2"),
        ("latency_ms: 1.5}, {", "latency_ms: 1.50001}, {", "1.50001"),
        ("latency_ms: null", "latency_ms: 0", "'latency_ms': 0"),
        (", {trace_id: b, turn: 2, latency_ms: null}", "", "there and not expected.*'trace_id': 'b'"),
        ("turn: 2", "turns: 2", "expected and not there.*turns"),
        ("conversation_id: c}", "conversatoin_id: c}", "table raw_traces has no column conversatoin_id"),
        ("# Two traces", "two: # traces", "a case is a comment that says what it shows"),
        ("when:", "where:", "then given, when and expect"),
        ("expect: [", "expect: ", "not YAML"),
    ],
)
def test_case_fails(run_case: Runner, old: str, new: str, complaint: str) -> None:
    assert CASE.count(old) == 1
    with pytest.raises(Exception, match=f"(?s){complaint}") as failed:
        run_case(CASE.replace(old, new), ("traces",))
    assert type(failed.value).__name__ == "CaseFailed"
