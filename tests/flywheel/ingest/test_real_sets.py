"""Every set of real logs lands or says why not, record by record, and twice is once."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flywheel.core.lake import Lake
from flywheel.ingest.feedback import adopt_orphans
from flywheel.ingest.files import IngestReport, ingest_file

# read here, for tests forget the FLYWHEEL_* variables of whoever runs them
PLACE = Path(os.environ.get("FLYWHEEL_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
NOW = datetime(2026, 12, 1, tzinfo=UTC)
Counts = tuple[int, int, int, int, int]

# file -> its format, then read, landed, duplicates, quarantined, context
REAL: dict[str, tuple[str, Counts]] = {
    "langfuse_traces/agno-2025-06-11.trace.json": ("langfuse", (2, 2, 0, 0, 5)),
    "langfuse_traces/autogen-2025-06-06.trace.json": ("langfuse", (1, 1, 0, 0, 2)),
    "langfuse_traces/crewai-2025-07-11.trace.json": ("langfuse", (1, 1, 0, 0, 6)),
    "langfuse_traces/google-adk-2025-08-28.trace.json": ("langfuse", (2, 2, 0, 0, 4)),
    "langfuse_traces/langgraph-python-2025-08-22.trace.json": ("langfuse", (2, 2, 0, 0, 8)),
    "langfuse_traces/llamaindex-2025-06-05.trace.json": ("langfuse", (1, 1, 0, 0, 2)),
    "langfuse_traces/openai-agents-2025-09-30.trace.json": ("langfuse", (2, 2, 0, 0, 4)),
    "langfuse_traces/vercel-aisdk-2025-11-17.trace.json": ("langfuse", (1, 1, 0, 0, 3)),
    "vendor_http/vendor_http_dev.jsonl.gz": ("vendor_http", (412, 405, 1, 6, 18)),
    "tau_bench/gpt-4o-airline.json.gz": ("tau_bench", (200, 200, 0, 0, 0)),
    "tau_bench/MockAirlineDomainEnv-few_shot.jsonl.gz": ("messages", (19, 19, 0, 0, 0)),
    "tau_bench/MockRetailDomainEnv-few_shot.jsonl.gz": ("messages", (69, 69, 0, 0, 0)),
    "tau2_flywheel/base_gpt-4.1_airline.json.gz": ("tau2", (20, 20, 0, 0, 0)),
    "tau2_flywheel/ft_gpt-4.1_airline.json.gz": ("tau2", (20, 20, 0, 0, 0)),
    "tau2_flywheel/base_gpt-4.1_retail.json.gz": ("tau2", (40, 40, 0, 0, 0)),
    "tau2_flywheel/ft_gpt-4.1_retail.json.gz": ("tau2", (40, 40, 0, 0, 0)),
    "tau2_flywheel/train_sft-v1-small.jsonl.gz": ("messages", (37, 37, 0, 0, 0)),
    "who_and_when/algorithm-generated.jsonl.gz": ("who_and_when", (126, 126, 0, 0, 0)),
    "gsm8k/example_model_solutions.jsonl": ("gsm8k", (5276, 5276, 0, 0, 0)),
    "llmdrift/PRIME_FULL_EVAL.csv.gz": ("llmdrift", (4000, 4000, 0, 0, 0)),
    "llmdrift/LEETCODE_EASY_EVAL.csv.gz": ("llmdrift", (200, 200, 0, 0, 0)),
    "banking77/test.csv": ("banking77", (3080, 3080, 0, 0, 0)),
}
TENSORZERO: dict[str, Counts] = {
    "boolean_metric_feedback_examples": (2184, 2184, 0, 0, 0),
    "chat_inference_datapoint_examples": (100, 0, 0, 100, 0),
    "chat_inference_examples": (1492, 1492, 0, 0, 0),
    "comment_feedback_examples": (26, 26, 0, 0, 0),
    "demonstration_feedback_examples": (594, 594, 0, 0, 0),
    "float_metric_feedback_examples": (1284, 1284, 0, 0, 0),
    "json_inference_datapoint_examples": (66, 0, 0, 66, 0),
    "json_inference_examples": (1773, 1773, 0, 0, 0),
    "model_inference_cache_examples": (660, 0, 0, 660, 0),
}
REWARDS = """
select source_file, count(*) filter (value = 1), count(*) filter (value = 0) from lake.raw_feedback
where kind = 'outcome' group by all
"""


def file_of(name: str) -> str:
    if not (PLACE / name).is_file():
        pytest.skip(f"{name} is not in {PLACE}: set FLYWHEEL_DATA to a folder that holds it")
    return str(PLACE / name)


def counts(report: IngestReport) -> Counts:
    return (report.read, report.landed, report.duplicates, report.quarantined, report.context)


@pytest.fixture
def memory() -> Lake:
    return Lake.in_memory()


@pytest.mark.parametrize("name", REAL)
def test_a_real_file_lands_or_says_why_not(memory: Lake, name: str) -> None:
    report = ingest_file(memory, file_of(name), now=NOW)
    assert (report.format, counts(report)) == REAL[name]
    broken = memory.scalar("select count(*) from lake.raw_traces where json_type(input) != 'ARRAY' or input = '[]'")
    not_text = memory.scalar(
        "select count(*) from lake.raw_traces "
        "where list_distinct(json_type(input, '$[*].content')) not in ([], ['VARCHAR'])"
    )
    assert (broken, not_text) == (0, 0)


@pytest.mark.parametrize(
    ("name", "rewards"),
    [
        ("tau_bench/gpt-4o-airline.json.gz", (84, 116)),
        ("tau2_flywheel/base_gpt-4.1_airline.json.gz", (10, 10)),
        ("tau2_flywheel/ft_gpt-4.1_airline.json.gz", (13, 7)),
        ("tau2_flywheel/base_gpt-4.1_retail.json.gz", (34, 6)),
        ("tau2_flywheel/ft_gpt-4.1_retail.json.gz", (34, 6)),
        ("gsm8k/example_model_solutions.jsonl", (2001, 3275)),
        ("llmdrift/LEETCODE_EASY_EVAL.csv.gz", (43, 157)),
    ],
)
def test_outcomes_are_the_published_ones(memory: Lake, name: str, rewards: tuple[int, int]) -> None:
    ingest_file(memory, file_of(name), now=NOW)
    assert memory.frame(REWARDS).row(0)[1:] == rewards


def test_a_gateways_feedback_finds_its_inferences_and_episodes_or_waits(lake: Lake) -> None:
    paths = {name: file_of(f"tensorzero_fixtures/{name}.jsonl.gz") for name in TENSORZERO}
    reports = {name: ingest_file(lake, path, now=NOW) for name, path in paths.items()}
    assert {name: counts(report) for name, report in reports.items()} == TENSORZERO
    assert {report.format for report in reports.values()} == {"tensorzero"}
    assert adopt_orphans(lake, "run") == 2132
    found = lake.frame(
        "select kind, name = 'haiku_score' as is_score, value, count(*) as said, count(trace_id) as found "
        "from lake.raw_feedback where kind = 'demonstration' or name = 'haiku_score' group by all order by all"
    ).rows()
    assert found == [
        ("demonstration", None, None, 594, 594),
        ("evaluation", True, 0.0, 411, 411),
        ("evaluation", True, 1.0, 80, 80),
    ]
    met = lake.frame(
        "select count(*) filter (trace_id is null) as waiting, "
        "count(*) filter (target_id in (select unnest(aliases) from lake.raw_traces)) as inferences, "
        "count(*) filter (target_id in (select conversation_id from lake.raw_traces)) as episodes "
        "from lake.raw_feedback where source_file = $file",
        file=paths["boolean_metric_feedback_examples"],
    ).row(0)
    assert met == (800, 1216, 168)
    again = [ingest_file(lake, path, now=NOW) for path in paths.values()]
    assert {counts(report) for report in again} == {(0, 0, 0, 0, 0)}


def normal(message: dict[str, Any]) -> tuple[str, str, list[tuple[str, Any]]]:
    """Return what a message says, whoever wrote it down: role, text, calls."""
    role = {"model": "assistant"}.get(message["role"], message["role"])
    calls = [(call["name"], arguments_of(call["arguments"])) for call in message.get("tool_calls") or []]
    content = message.get("content") or ""
    return role, content if isinstance(content, str) else json.dumps(content), calls


def arguments_of(given: Any) -> Any:
    return json.loads(given) if isinstance(given, str) else given


@pytest.mark.parametrize("name", [name for name in REAL if name.startswith("langfuse")])
def test_messages_are_those_of_the_expected_normalisation(memory: Lake, name: str) -> None:
    ingest_file(memory, file_of(name), now=NOW)
    expected = json.loads(Path(file_of(name.replace(".trace.", ".chatml."))).read_bytes())
    rows = memory.frame("select aliases[1] as id, input, output, tool_calls from lake.raw_traces")
    for row in rows.filter(pl.col("id").is_in(list(expected))).iter_rows(named=True):
        asked, answered = expected[row["id"]]["input"], expected[row["id"]]["output"]
        if asked["success"] and all("role" in message for message in asked["data"]):
            heard = [normal(message) for message in json.loads(row["input"])]
            # what comes back from a tool is a tool's word here, whatever role carried it
            wanted = [normal(message) for message in asked["data"]]
            assert [message[1:] for message in heard] == [message[1:] for message in wanted]
        if answered["success"]:
            wanted = [normal(message) for message in answered["data"]]
            assert "\n".join(text for _, text, _ in wanted if text) == row["output"]
            calls = [(call["name"], call["arguments"]) for call in json.loads(row["tool_calls"] or "[]")]
            assert calls == [call for _, _, said in wanted for call in said]
