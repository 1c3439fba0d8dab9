"""Read what may be contaminated, and what by: rows of the lake, releases, and files of other people."""

import io
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from flywheel.core.errors import UsageError
from flywheel.core.lake import Lake
from flywheel.core.releases import find_release, read_file
from flywheel.core.storage import Store

# Where benchmarks and training files keep what is asked, the most telling name first.
_TEXT_COLUMNS = ("text", "question", "prompt", "problem", "instruction", "query", "input", "messages")
_ID_COLUMNS = ("id", "task_id", "question_id", "instance_id", "trace_id", "example_id", "correction_id")

# All that was said in the conversation and the answer are one text: what is split over its turns is still found.
_LAKE = """
with
said as (
    select
        'hard_examples' as source, examples.example_id as id, examples.trace_id, traces.input, traces.output as answer
    from hard_examples as examples
    inner join traces on examples.trace_id = traces.trace_id and examples.day = traces.day
    where examples.purpose = 'hard'
    union all by name
    select 'corrections' as source, correction_id as id, trace_id, input, chosen as answer from corrections
)
select source, id, trace_id, concat_ws(chr(10),
    array_to_string(list_transform(from_json(input, '[{"content": "VARCHAR"}]'), lambda said: said.content), chr(10)),
    answer) as text
from said order by source, id
"""


def lake_texts(lake: Lake) -> pl.DataFrame:
    """Return (source, id, trace_id, text) of what the next release may be made of: hard examples and corrections."""
    return lake.frame(_LAKE)


def heldout_texts(store: Store, dataset: str) -> pl.DataFrame:
    """Return (id, trace_id, text) of the failures that the newest release holds out.

    Raises:
        UnknownVersion: there is no release yet.

    """
    held = pl.read_parquet(io.BytesIO(read_file(store, find_release(store, dataset, "latest"), "heldout.parquet")))
    return held.select("trace_id", id="correction_id", text="query")


def read_texts(path: Path, columns: Sequence[str] = ()) -> pl.DataFrame:
    """Return (id, text) of a file: JSON lines (also gzipped) or Parquet; a row without an id is called by its number.

    `columns` name what to read, joined; else the first known one is. Chat messages are joined, too.

    Raises:
        UsageError: the file cannot be read, or has no such column.

    """
    rows = _read(path)
    known = [name for name in _TEXT_COLUMNS if name in rows.columns][:1]
    chosen = list(columns) or known
    if not chosen or not set(chosen) <= set(rows.columns):
        wanted = ", ".join(columns) or f"one of {', '.join(_TEXT_COLUMNS)}"
        raise UsageError(f"{path} has no column {wanted}; it has {', '.join(rows.columns)}. Name one with --column.")
    names = [name for name in _ID_COLUMNS if name in rows.columns][:1]
    numbers = pl.int_range(1, pl.len() + 1).cast(pl.String)
    found = pl.coalesce(*(pl.col(name).cast(pl.String) for name in names), numbers)
    texts = [_as_text(name, rows.schema[name]) for name in chosen]
    return rows.select(id=found, text=pl.concat_str(texts, separator="\n", ignore_nulls=True))


def _read(path: Path) -> pl.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        return pl.read_ndjson(path, infer_schema_length=None)
    except (pl.exceptions.PolarsError, OSError) as unreadable:
        told = " ".join(str(unreadable).split())[:200]
        raise UsageError(
            f"{path} is neither JSON lines nor Parquet: {told}. Convert it to one of them."
        ) from unreadable


def _as_text(name: str, kind: pl.DataType) -> pl.Expr:
    """Return a column as text: of messages, what was said."""
    if isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct):
        return pl.col(name).list.eval(pl.element().struct.field("content").cast(pl.String)).list.join("\n")
    return pl.col(name).cast(pl.String)
