"""What names mean inside of a build.

Inside a build a table's bare name means the rows of the day being built, `past_<table>` those of earlier days and
`known_<table>` both; this is how a table reads downhill and how the wheel closes without a cycle. `held_<table>` in a
table's own query is what its day holds already, for what must not be drawn twice.
"""

from datetime import date

import duckdb

from flywheel.core.queries import Table, load_tables

_OFTEN, _FEW = 3, 10_000  # scans in one query that make copying rows worth it, and how many are copied at most

_DAYS_MEANT = {"": "day =", "held_": "day =", "known_": "day <=", "past_": "day <"}


def show_day(cursor: duckdb.DuckDBPyConnection, spec: Table, day: date) -> None:
    """Make bare, known_ and past_ names on this cursor mean rows of, up to and before the day."""
    cursor.execute("set variable day = $day", {"day": day})
    tables = load_tables()
    for name, times in sorted(spec.reads(tables).items()):
        prefix = next(p for p in ("held_", "known_", "past_", "") if name.startswith(p) and name[len(p) :] in tables)
        rows = f"from lake.{name[len(prefix) :]} where {_DAYS_MEANT[prefix]} getvariable('day')"
        if times >= _OFTEN:
            rows = _at_hand(cursor, name, rows)
        cursor.execute(f"create or replace temp view {name} as select * {rows}")


def _at_hand(cursor: duckdb.DuckDBPyConnection, name: str, rows: str) -> str:
    """Copy the rows into memory if they are few, and return where to read them.

    Each scan of a table in the lake costs some 10 ms before it reads a row; a query over all signals has fifty.
    """
    cursor.execute(f"create or replace temp table few_{name} as select * {rows} limit {_FEW + 1}")
    copied = cursor.fetchone()
    if copied and copied[0] <= _FEW:
        return f"from few_{name}"
    cursor.execute(f"drop table few_{name}")
    return rows
