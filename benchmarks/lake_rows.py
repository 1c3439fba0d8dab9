"""Rows for the lake's benchmarks: corrections with text of common words, the same for the same seed."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

_WORDS = """
the a to of and in is it for on with my i you card account transfer money payment refund please help cannot when
why how does not work bank balance charge fee exchange rate limit blocked lost stolen new old app login code pin
cash machine direct debit standing order abroad yesterday today week month statement address phone change open
close joint saving loan interest merchant pending rejected cancelled twice wrong missing late never already
""".split()  # noqa: SIM905 - a text is easier to read
_PHRASE_WORDS, _PHRASES = 10, 5_000


def write_rows(path: Path, rows: int, days: int = 10, seed: int = 1) -> None:
    """Write `rows` corrections, by day, to one Parquet file: with 100 words of text each."""
    rng = np.random.default_rng(seed)
    phrases = pl.Series([" ".join(rng.choice(_WORDS, _PHRASE_WORDS)) for _ in range(_PHRASES)])
    number = pl.int_range(rows)

    def text(count: int) -> pl.Expr:
        return pl.concat_str([phrases.gather(rng.integers(_PHRASES, size=rows)) for _ in range(count)], separator=" ")

    def named(kind: str, of: pl.Expr) -> pl.Expr:
        return pl.concat_str(pl.lit(kind), of.hash(seed).cast(pl.String).str.zfill(31))

    is_person = number % 3 == 0
    pl.select(
        (pl.lit(date(2026, 1, 1)) + pl.duration(days=number * days // rows)).alias("day"),
        *(named(kind[0], number).alias(f"{kind}_id") for kind in ("correction", "answer", "example", "trace")),
        named("m", number % 50).alias("mode_id"),
        pl.lit("support").alias("task"),
        text(2).alias("query"),
        text(4).alias("rejected"),
        text(4).alias("chosen"),
        pl.when(is_person).then(pl.lit("human")).otherwise(pl.lit("ai")).alias("author_kind"),
        pl.when(is_person).then(pl.lit("ann")).otherwise(pl.lit("wheel-large")).alias("author_id"),
        pl.when(is_person).then(None).otherwise(pl.lit("wheel")).alias("family"),
        pl.lit(0.9).alias("agreement"),
        (number % 3).clip(0, 1).cast(pl.Int64).alias("depth"),
        pl.lit(0.01).alias("cost_usd"),
        pl.concat_str(pl.lit("batch-"), number % 100).alias("batch_id"),
    ).with_columns(
        pl.concat_str(pl.lit('[{"role": "user", "content": "'), "query", pl.lit('"}]')).alias("input")
    ).write_parquet(path, compression="zstd")


def as_release(rows: pl.DataFrame) -> pl.DataFrame:
    """Return corrections as a release has them: with a side, a group, and the names of mode and route."""
    return rows.with_columns(
        pl.when(pl.int_range(pl.len()) % 5 == 0).then(pl.lit("heldout")).otherwise(pl.lit("train")).alias("split"),
        pl.col("correction_id").alias("group_id"),
        pl.col("mode_id").str.head(8).alias("mode_name"),
        pl.lit("ai").alias("route"),
    )


def later(rows: pl.DataFrame) -> pl.DataFrame:
    """Return another release's rows: of 2 %, half is gone and half says something else; 1 % is new."""
    few = max(rows.height // 100, 1)
    kept, changed = rows.head(rows.height - 2 * few), rows.slice(rows.height - 2 * few, few)
    added = rows.tail(few).with_columns(pl.concat_str(pl.lit("new"), "correction_id").alias("correction_id"))
    return pl.concat([kept, changed.with_columns(pl.lit("something else").alias("chosen")), added])
