"""Tell log formats apart by the keys of a record; each format is one file under sql/ingest/."""

from collections.abc import Iterable

import orjson

from flywheel.core.errors import UnknownFormat
from flywheel.core.queries import find_query, load_folder

# keys that all records of a format have
_MARKS = {"openai": frozenset({"request"})}
# OTLP's requests for spans and for log records; a span as the SDK prints it or Phoenix exports it
_OTLP_MARKS = (
    frozenset({"resourceSpans"}),
    frozenset({"resourceLogs"}),
    frozenset({"context", "attributes"}),
    frozenset({"context.span_id"}),
)


def detect_format(source: str, records: Iterable[str]) -> str:
    """Return the format of the first record whose keys are known: one alien line does not refuse the others.

    Raises:
        UnknownFormat: none fits.

    """
    for record in records:
        keys = set(orjson.loads(record))
        for name, marks in _MARKS.items():
            if marks <= keys:
                return name
        if any(marks <= keys for marks in _OTLP_MARKS):
            return "otlp"
    raise UnknownFormat(source, load_folder("ingest"))


def format_query(name: str) -> str:
    """Return the query from `log_lines` to the columns of raw_traces."""
    return find_query("ingest", name)
