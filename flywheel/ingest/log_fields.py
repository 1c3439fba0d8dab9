"""Which fields the records of a log have, and what changed about them since the days before.

A logging library that is updated renames fields, and a capture switch that is turned off empties them; both leave
logs that can still be read, with less in them. Only paths of fields are kept, never values.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import orjson
import polars as pl

from flywheel.text.pii import find_pii

RECORDS_SAMPLED = 200  # of a block: a field in every 50th record is missed once in 57 blocks
LONGEST_SAMPLED = 262_144  # characters; a longer record takes longer to parse than the rest of the sample
DEEPEST = 8  # resource, scope, span, attribute, value of OpenTelemetry are six
WIDEST = 80  # keys of one object; more, and the keys are data
ITEMS_WALKED = 4  # of a list: its items are alike
MOST_PATHS = 600

_FIELD_NAME = re.compile(r"[A-Za-z_$@][A-Za-z0-9_$.:/-]{0,63}")
_ID_LIKE = re.compile(r"[0-9]{4}|[0-9a-fA-F]{8}|(?=[a-z]*[0-9])(?=[0-9]*[a-z])[0-9a-z]{10}")
_TYPES = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
    dict: "object",
    list: "array",
}
_SCHEMA = {
    "day": pl.Date, "format": pl.String, "observation_id": pl.String, "path": pl.String, "json_type": pl.String,
    "record_count": pl.Int64, "sampled_count": pl.Int64, "trace_count": pl.Int64, "content_count": pl.Int64,
}  # fmt: skip


def observe(
    records: Sequence[str], log_format: str, day: date, observation_id: str, traces: pl.DataFrame
) -> pl.DataFrame:
    """Return the rows of `log_fields` for one block of records.

    Args:
        records: the block, as JSON text; at most `RECORDS_SAMPLED` of them are looked at, evenly spread.
        log_format: its format.
        day: the day the rows belong to.
        observation_id: identity of the block, the same when it is read again.
        traces: what the format's query made of the whole block: `problem`, `output`, `error`, `tool_calls` are read.

    """
    sample = [records[place] for place in sampled_places(len(records)) if len(records[place]) <= LONGEST_SAMPLED]
    seen: Counter[tuple[str, str]] = Counter()
    for text in sample:
        fields = set(_fields(orjson.loads(text)))
        seen.update(fields)
        seen.update({(path, "any") for path, _ in fields})
    common = [field for field, _ in sorted(seen.items(), key=lambda item: (-item[1], item[0]))[:MOST_PATHS]]
    calls = traces.filter(pl.col("problem").ne_missing("not_a_call"))
    fixed = {"day": day, "format": log_format, "observation_id": observation_id, "sampled_count": len(sample)}
    rows: list[dict[str, object]] = [
        {"path": path, "json_type": json_type, "record_count": seen[path, json_type]} for path, json_type in common
    ]
    whole = {"path": "", "json_type": "any", "record_count": len(sample), "trace_count": calls.height}
    rows.append(whole | {"content_count": calls.filter(_HAS_CONTENT).height})
    return pl.DataFrame([row | fixed for row in rows], schema=_SCHEMA)


def sampled_places(count: int) -> list[int]:
    """Return which of so many records are looked at, evenly spread; of few, all."""
    return list(range(0, count, max(1, -(-count // RECORDS_SAMPLED))))


_HAS_CONTENT = pl.col("problem").ne_missing("missing_content") & (
    pl.col("output").is_not_null() | pl.col("error").is_not_null() | pl.col("tool_calls").is_not_null()
)


def _fields(record: Any) -> Iterator[tuple[str, str]]:
    """Yield path and type of what a record holds, down to a bounded depth and width."""
    waiting: list[tuple[str, Any, int]] = [("", record, 0)]
    while waiting:
        path, value, depth = waiting.pop()
        if path:
            yield path, _TYPES[type(value)]
        if depth == DEEPEST:
            continue
        if isinstance(value, dict):
            is_data = len(value) > WIDEST
            items = list(value.items())[:ITEMS_WALKED] if is_data else value.items()
            for key, inner in items:
                name = "*" if is_data else _field_name(key)
                waiting.append((f"{path}.{name}" if path else name, inner, depth + 1))
        elif isinstance(value, list):
            waiting += [(f"{path}[]", inner, depth + 1) for inner in value[:ITEMS_WALKED]]


@lru_cache(maxsize=10_000)
def _field_name(key: str) -> str:
    """Return a key if it is the name of a field; `*` for an id, an address, a name, a sentence."""
    is_name = _FIELD_NAME.fullmatch(key) and not _ID_LIKE.search(key) and not find_pii(key)
    return key if is_name else "*"
