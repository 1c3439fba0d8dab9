"""SQL reads only downhill, and a table's file says what a row is, what identifies it and when it came."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from flywheel.core.lake import Lake
from flywheel.core.queries import SQL, Table, load_folder, load_tables

TABLES = load_tables()
BUILT = [table for table in TABLES.values() if table.is_built]

UP = """\
-- low: one row per mistake
create table low (day date, run_id varchar);

with
seen as (
    select * from {read}
)

select * from seen;
"""
LANDED = "-- {name}: one row per row\ncreate table {name} (day date, run_id varchar);\n"


def uphill(tables: Mapping[str, Table]) -> Iterator[str]:
    """Yield reads of a table that is not built yet; only past_ may point up or to the table itself."""
    for table in tables.values():
        for read in sorted(table.reads(tables)):
            if read == f"held_{table.name}":
                continue  # what its own day holds already
            name = read.removeprefix("known_")
            if not read.startswith("past_") and tables[name].place >= table.place:
                yield f"{table.name} ({table.place}) reads {read} ({tables[name].place})"


def test_tables_read_downhill() -> None:
    assert list(uphill(TABLES)) == []
    assert set(TABLES["answer_verdicts"].reads(TABLES)) >= {"known_answers", "past_answer_verdicts"}


@pytest.mark.parametrize(
    ("read", "found"),
    [
        ("high", ["low (10) reads high (20)"]),
        ("known_high", ["low (10) reads known_high (20)"]),
        ("low", ["low (10) reads low (10)"]),
        ("past_high", []),
        ("past_low", []),
        ("deep", []),
    ],
)
def test_uphill_read_is_found(tmp_path: Path, read: str, found: list[str]) -> None:
    (tmp_path / "05_deep.sql").write_text(LANDED.format(name="deep"))
    (tmp_path / "10_low.sql").write_text(UP.format(read=read))
    (tmp_path / "20_high.sql").write_text(LANDED.format(name="high"))
    assert list(uphill(load_tables(tmp_path))) == found


@pytest.mark.parametrize("table", BUILT, ids=lambda table: table.name)
def test_query_reads_something_and_ends_in_its_last_step(table: Table) -> None:
    assert table.query is not None
    steps = re.findall(r"^([a-z_]+) as \($", table.query, re.MULTILINE)
    assert steps, f"{table.name}: one step per line, '<name> as ('"
    assert table.query.rstrip().rstrip(";").splitlines()[-1].removeprefix("select * from ") == steps[-1]
    assert table.reads(TABLES)


def test_no_two_tables_share_a_place() -> None:
    assert len({table.place for table in TABLES.values()}) == len(TABLES) == len(list(SQL.glob("*.sql")))


def test_contracts_begin_with_day_and_run_and_have_their_keys() -> None:
    with Lake.in_memory() as lake:
        for table in TABLES.values():
            columns = lake.connection.table(table.name).columns
            assert columns[:2] == ["day", "run_id"], f"{table.name} begins with {columns[:2]}"
            assert table.key, f"{table.name} has no line '-- key: <columns>'"
            assert set(table.key) <= set(columns), f"{table.name} has no column for its key {table.key}"


@pytest.mark.parametrize("kind", ["ingest", "signals", "views"])
def test_parts_say_what_they_are(kind: str) -> None:
    found = load_folder(kind)
    assert found
    for name, text in found.items():
        assert re.match(rf"-- {name}: [a-z].{{10,}}\n", text), f"sql/{kind}/{name}.sql begins with '-- {name}: ...'"


def test_sql_takes_parameters_and_no_templates() -> None:
    templated = [str(path) for path in SQL.rglob("*.sql") if re.search(r"\{\{|\{%|%s|\{[a-z_]+\}", path.read_text())]
    assert templated == []
