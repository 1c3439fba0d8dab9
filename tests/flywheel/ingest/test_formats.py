import json
from typing import Any

import pytest

from flywheel.core.errors import UnknownFormat, UnknownQuery
from flywheel.core.mappings import Mapping
from flywheel.core.queries import load_folder
from flywheel.core.settings import Settings
from flywheel.ingest.formats import detect_format, format_names, format_query, known_mappings

RECORDS: dict[str, dict[str, Any]] = {
    "openai": {"request": {}, "response": {}},
    "vendor_http": {"uri": "https://x", "request": {}, "response": {}, "status": 200},
    "tensorzero": {"target_id": "x", "metric_name": "m", "value": True, "tags": {}},
    "langfuse": {"trace": {}, "observations": []},
    "otlp": {"resourceSpans": []},
    "feedback": {"target": "x", "kind": "thumb"},
    "tau2": {"info": {}, "tasks": [], "simulations": []},
    "tau_bench": {"task_id": 1, "reward": 1.0, "traj": []},
    "inspect": {"eval": {}, "sample": {}},
    "messages": {"messages": [], "tools": []},
    "who_and_when": {"question": "q", "history": [], "mistake_agent": "a", "mistake_reason": "r"},
}


@pytest.mark.parametrize(("name", "record"), RECORDS.items(), ids=RECORDS)
def test_a_record_is_recognised_by_its_keys(name: str, record: dict[str, Any]) -> None:
    assert detect_format("logs/a.jsonl", [json.dumps(record)]) == name


@pytest.mark.parametrize(
    "records",
    [
        ['{"request": {}}'],
        ['{"response": {}, "request": null}'],
        ['{"level": "info", "msg": "started"}', "{}", '{"request": {}}'],
    ],
)
def test_the_first_known_record_names_the_format(records: list[str]) -> None:
    assert detect_format("a.jsonl", records) == "openai"


def test_a_mapping_goes_before_the_keys_where_file_and_columns_fit() -> None:
    mapping = Mapping(files="chat-*.csv", columns=("q",), input="q", output="a", started_at="t")
    settings = Settings(mappings={"chats": mapping})
    record = '{"q": "", "a": "", "t": "", "request": ""}'
    assert detect_format("/logs/chat-1.csv", [record], settings) == "chats"
    assert detect_format("s3://bucket/logs/chat-1.csv", [record], settings) == "chats"
    assert detect_format("/logs/other.csv", [record], settings) == "openai"
    assert detect_format("/logs/chat-1.csv", ['{"request": ""}'], settings) == "openai"


def test_a_mappings_query_holds_its_paths_and_a_formats_query_the_time_of_what_has_none() -> None:
    mapping = Mapping(files="*", input="it's", output="a", undated_at="2024-01-01T00:00:00Z")
    query = format_query("chats", Settings(mappings={"chats": mapping}))
    assert '"input":"$.\\"it\'\'s\\""' in query
    assert "$mapping" not in query
    assert "'1999-01-01T00:00:00Z'::timestamptz" in format_query(
        "tau_bench", Settings(undated_at="1999-01-01T00:00:00Z")
    )


def test_a_log_nobody_knows_is_told_which_formats_there_are() -> None:
    with pytest.raises(
        UnknownFormat, match=r"'a\.jsonl' was not recognised\. Pass --format with one of: .*openai, otlp.*or map its"
    ):
        detect_format("a.jsonl", ["{}", '{"prompt": "hello"}'])


def test_a_format_that_is_not_there_is_told_which_are() -> None:
    with pytest.raises(UnknownQuery, match=r"no query 'syslog' in sql/ingest\. Queries there: .*openai"):
        format_query("syslog")
    with pytest.raises(UnknownQuery, match="no query 'mapped'"):
        format_query("mapped")


def test_no_public_set_takes_the_name_of_a_format() -> None:
    assert not set(known_mappings()) & set(load_folder("ingest"))
    assert len(format_names()) == len(known_mappings()) + len(load_folder("ingest")) - 1
