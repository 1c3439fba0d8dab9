"""Every message quotes what was wrong, is short, and says what to do next."""

import ast
import inspect
import re
from typing import Any

import pytest

from flywheel.core import errors

# one example per error: its arguments, and what of them the reader has to see
EXAMPLES: dict[str, tuple[tuple[Any, ...], list[str]]] = {
    "UnknownTable": (("failure", ["traces", "failures"]), ["'failure'", "failures, traces"]),
    "UnknownQuery": (("opanai", "sql/ingest", ["openai"]), ["'opanai'", "sql/ingest", "openai"]),
    "UnknownFormat": (("logs/day.csv", ["openai", "langfuse"]), ["'logs/day.csv'", "langfuse, openai"]),
    "UnknownDataset": (("gsm9k", ["gsm8k"]), ["'gsm9k'", "gsm8k"]),
    "UnknownVersion": (("corrections", "v9", ["1", "latest"]), ["'corrections'", "'v9'", "1, latest"]),
    "UnknownMoment": (("31.3.", "expected a version"), ["'31.3.'", "expected a version", "`flywheel releases list`"]),
    "NotInVersion": ((3, "table 'spend'", 7), ["Version 3", "table 'spend'", "version 7", "--at"]),
    "BadSetting": (("catalog", "mysql:", "'' or postgres:..."), ["'catalog'", "'mysql:'", "FLYWHEEL_CATALOG"]),
    "MissingPart": (("DuckDB's extension 'ducklake'", "Install its wheel."), ["'ducklake'", "Install its wheel."]),
    "BadStatement": (("selct 1", "syntax error at selct."), ["'selct 1'", "syntax error at selct."]),
    "BadSignal": (("late.sql", "select 1", "'-- late: <what it sees>'"), ["'late.sql'", "'select 1'", "-- late:"]),
    "SchemaMismatch": (("spend", ["price"], ["cost_usd"]), ["'spend'", "price", "cost_usd", "sql/"]),
    "UnknownExpectation": (("traces", 3, 2, ["expect_nul"]), ["'traces'", "3", "2", "expect_nul"]),
    "EmptyPromise": (
        ("traces", "no rows were given"),
        ["'traces'", "no rows were given", "expectations/traces.json"],
    ),
    "GateRefused": (("corrections", ["leaked_count <= 0"], 7), ["'corrections'", "leaked_count <= 0", "7 rows"]),
    "DriftFound": (("2026-01-01", ["app", "task"]), ["2026-01-01", "app, task"]),
    "NothingToPublish": (("corrections",), ["'corrections'", "no accepted corrections"]),
    "CorruptObject": (("releases/x/1/train.parquet", "ab12", "cd34"), ["train.parquet", "'ab12'", "'cd34'"]),
    "BrokenRelease": (("x", 2, "a group is on one side", "1: a7"), ["Version 2", "'1: a7'", "releases rollback"]),
    "LakeFaulty": ((["missing a", "size b", "rows c", "rows d"],), ["4 of", "missing a", "1 more", "lake repair"]),
    "UnreadableRows": ((3, "Malformed JSON"), ["3 rows", "'Malformed JSON'", "sql/ingest/"]),
    "BrokenLake": (("Cannot open file 'x.parquet'",), ["x.parquet", "`flywheel lake check`"]),
    "Unparsed": (("maybe", "one of: yes, no"), ["'maybe'", "one of: yes, no"]),
    "ProviderBusy": (("wheel-large", "429, retry after 20 s"), ["'wheel-large'", "429, retry after 20 s"]),
    "StoreBusy": (("s3://b/x", "503 Slow Down"), ["'s3://b/x'", "503 Slow Down"]),
    "LakeBusy": (("data/catalog.lock", 120.0), ["'data/catalog.lock'", "120 s"]),
    "VersionTaken": (("corrections", 7), ["'corrections'", "Version 7"]),
}

NEXT_STEP = re.compile(
    r"\b(Pass|Run|Try|Change|Compare|Fix|Look|look|Publish|Install|Start|Set|See|see|restore|bring|check)\b"
    r"|`flywheel [a-z]|\b(Tables|Queries there): \w"
)

# the local provider is a server: what it refuses becomes an HTTP reply, which our client turns into one of ours
ELSEWHERE = ("flywheel/core/errors.py", "flywheel/llm/local/")

FAMILIES = {"FlywheelError", "UsageError", "DataError", "TransientError"}
CLASSES = {
    name: found
    for name, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, errors.FlywheelError) and name not in FAMILIES
}


def sentences(message: str) -> int:
    """Count sentences, those within quotes and code left out."""
    prose = re.sub(r"`[^`]*`|'[^']*'|\"[^\"]*\"", "x", message)
    return len(re.findall(r"[.!?](?=\s|$)", prose))


def test_each_error_has_an_example() -> None:
    assert set(CLASSES) == set(EXAMPLES), "write an example of each error's message in EXAMPLES"


@pytest.mark.parametrize("name", EXAMPLES)
def test_message_reads_well(name: str) -> None:
    arguments, shown = EXAMPLES[name]
    message = str(CLASSES[name](*arguments))
    assert [part for part in shown if part not in message] == []
    assert message.endswith((".", '".')), message
    assert 1 <= sentences(message) <= 3, message
    assert NEXT_STEP.search(message), f"says no next step: {message}"


@pytest.mark.parametrize(
    ("message", "count"),
    [("One. Two.", 2), ("Run `a. b.` now.", 1), ("'x. y' is 1.5; no.", 1), ("Really? Yes.", 2)],
)
def test_sentences_are_counted(message: str, count: int) -> None:
    assert sentences(message) == count


@pytest.mark.parametrize("message", ["Bad table.", "It failed: 503.", "The runner was away."])
def test_message_without_next_step_is_noticed(message: str) -> None:
    assert not NEXT_STEP.search(message)


def test_all_errors_are_in_the_one_tree(sources: list[Any]) -> None:
    parents = {*CLASSES, *FAMILIES, "Exception", "ValueError", "RuntimeError"}
    elsewhere = [
        f"{source.path}:{node.lineno}: {node.name}"
        for source in sources
        if source.package in {"flywheel", "tasks", "flows"} and not source.path.startswith(ELSEWHERE)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and parents & {ast.unparse(base).rsplit(".", 1)[-1] for base in node.bases}
    ]
    assert elsewhere == [], "errors live in flywheel/core/errors.py"
