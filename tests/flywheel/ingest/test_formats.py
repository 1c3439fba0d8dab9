import pytest

from flywheel.core.errors import UnknownFormat, UnknownQuery
from flywheel.ingest.formats import detect_format, format_query


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


def test_a_log_nobody_knows_is_told_which_formats_there_are() -> None:
    with pytest.raises(
        UnknownFormat, match=r"'a\.jsonl' was not recognised\. Pass --format with one of: .*openai, otlp"
    ):
        detect_format("a.jsonl", ["{}", '{"prompt": "hello"}'])


def test_a_format_that_is_not_there_is_told_which_are() -> None:
    with pytest.raises(UnknownQuery, match=r"no query 'syslog' in sql/ingest\. Queries there: .*openai"):
        format_query("syslog")
