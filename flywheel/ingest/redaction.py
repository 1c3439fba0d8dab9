"""Take personal data out of records before they are written anywhere."""

import polars as pl

from flywheel.text.pii import redact_column

TEXT_COLUMNS = ("input", "output", "feedback")


def redact_records(records: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return the records with personal data replaced in their text columns, and how many had some."""
    cleaned = records.with_columns([redact_column(records[column])[0].alias(column) for column in TEXT_COLUMNS])
    changed = pl.DataFrame([cleaned[column].ne_missing(records[column]) for column in TEXT_COLUMNS])
    return cleaned, int(changed.select(pl.any_horizontal(pl.all())).to_series().sum())
