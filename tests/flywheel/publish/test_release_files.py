"""A release is read with what everybody has: none of our code is needed."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.flywheel.publish.conftest import Desk

READER = """
import hashlib, json, sys
from pathlib import Path
import duckdb, polars as pl

folder = Path(sys.argv[1])
manifest = json.loads((folder / "manifest.json").read_text())
files = {
    name: hashlib.sha256((folder / name).read_bytes()).hexdigest() == facts["sha256"]
    for name, facts in manifest["files"].items()
}
train = pl.read_parquet(folder / "train.parquet")
tested = duckdb.sql(f"from read_parquet(['{folder}/train.parquet', '{folder}/heldout.parquet'])")
asked = duckdb.sql("select input->>'$[0].content' as said from tested order by 1 limit 1").fetchone()
sft = pl.read_ndjson(folder / "exports" / "openai-sft.jsonl")
assert not [name for name in sys.modules if name.split(".")[0] in ("flywheel", "flows", "tasks")]
print(json.dumps({
    "intact": all(files.values()), "files": len(files), "train": train.height, "rows": manifest["rows"],
    "duckdb": duckdb.sql("select count(*) from tested").fetchone()[0], "asked": asked[0],
    "preferences": pl.read_parquet(folder / "preferences.parquet").height,
    "sft": sft.height, "roles": [message["role"] for message in sft["messages"][0]],
    "columns": sorted(train.columns),
}))
"""
COLUMNS = [
    "agreement", "answer_id", "author_id", "author_kind", "batch_id", "chosen", "correction_id", "cost_usd", "day",
    "depth", "example_id", "family", "group_id", "input", "mode_id", "mode_name", "query", "rejected", "route",
    "split", "task", "trace_id",
]  # fmt: skip


def test_plain_duckdb_and_polars_read_a_release(
    desk: "Desk", corrections: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    rows = corrections(range(20))
    keys = ("day", "correction_id", "input", "chosen", "rejected")
    pairs = [{"preference_id": row["correction_id"]} | {key: row[key] for key in keys} for row in rows]
    desk.land("corrections", rows)
    desk.land("preferences", pairs)
    folder = desk.store.url(desk.released().folder)
    said = subprocess.run(
        [sys.executable, "-I", "-c", READER, folder], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    train_count = found["train"]
    assert found == {
        "intact": True,
        "files": 11,
        "train": train_count,
        "rows": {"train": train_count, "heldout": 20 - train_count, "retired": 0, "preferences": train_count},
        "duckdb": 20,
        "asked": min(row["query"] for row in rows),
        "preferences": train_count,
        "sft": train_count,
        "roles": ["user", "assistant"],
        "columns": COLUMNS,
    }
    assert 10 < train_count < 20
