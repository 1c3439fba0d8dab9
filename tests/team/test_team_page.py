"""What docs/lake.md says of the lake is so: its list of tables, and the statements that any DuckDB may run on it."""

import re
from datetime import date
from pathlib import Path

import duckdb
import pytest

from flywheel.core.contracts import load_folder
from flywheel.core.lake import Lake
from flywheel.core.queries import load_tables
from flywheel.core.settings import Settings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "lake.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^<!-- runs on \./data -->\n```sql\n(?P<code>.*?)^```", re.M | re.S)
THURSDAY = date(2026, 1, 1)


def test_page_lists_the_tables_as_they_are() -> None:
    listed = re.findall(r"^\| `([a-z_]+)` \| (.+) \| (.+) \| (built|landed) \|$", PAGE, re.M)
    assert listed == [
        (
            table.name,
            table.caption.removeprefix("one row per "),
            ", ".join(f"`{column}`" for column in table.key),
            "built" if table.is_built else "landed",
        )
        for table in load_tables().values()
    ]


def test_page_lists_the_views_as_they_are() -> None:
    section = PAGE.split("\n## Views\n")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `([a-z_]+)` \| [^|]+ \| [^|]+ \|$", section, re.M)
    assert sorted(listed) == sorted(load_folder("views"))
    assert [view for view in listed if f"from {view}" not in PAGE and view != "open_reviews"] == []


def test_statements_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Lake.open(Settings()) as lake:
        for name in ("a", "b"):
            row = {"day": THURSDAY, "correction_id": name, "chosen": "Rome"}
            lake.land("corrections", lake.typed("corrections", [row]))
    blocks = list(BLOCK.finditer(PAGE))
    assert len(blocks) == 8
    with duckdb.connect() as plain:
        for block in blocks:
            code = re.sub(r"\binstall \w+;", "", block["code"])
            code = re.sub(r"load sqlite;", "load sqlite_scanner;", code)
            plain.execute(code)
        assert plain.execute("select count(*) from lake.corrections").fetchall() == [(2,)]
