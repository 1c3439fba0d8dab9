"""The code on a card runs in the release's folder; what needs an account or a GPU compiles."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from flywheel.publish.card_loading import Loading, ways_to_load

if TYPE_CHECKING:
    from tests.flywheel.publish.conftest import Desk


@pytest.fixture
def released(desk: "Desk") -> Iterator[tuple[Path, list[Loading]]]:
    desk.correct(range(40))
    release = desk.released()
    folder = Path(desk.store.url(release.folder))
    with contextlib.chdir(folder):
        yield folder, ways_to_load(release.manifest["files"])


def test_there_is_a_way_for_every_export(released: tuple[Path, list[Loading]]) -> None:
    folder, ways = released
    shown = "\n".join(way.code for way in ways)
    exports = [f"exports/{path.name}" for path in (folder / "exports").iterdir()]
    assert exports
    assert [name for name in [*exports, "train.parquet", "heldout.parquet"] if f"{name}" not in shown] == []


def test_all_of_it_that_needs_no_trainer_runs(
    released: tuple[Path, list[Loading]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    loaded: dict[str, int] = {}
    for way in released[1]:
        if way.language == "sql":
            loaded[way.title] = sum(row[1] for row in duckdb.sql(way.code).fetchall())
            continue
        compile(way.code, way.title, "exec")
        if "OpenAI" not in way.title:
            lines = [line for line in way.code.splitlines() if "Trainer" not in line]
            names: dict[str, Any] = {}
            exec("\n".join(lines), names)  # noqa: S102 - our own code
            rows = names.get("rows", names.get("train"))
            loaded[way.title] = len(rows["train"]) if isinstance(rows, dict) else len(rows)
    train = loaded["Polars"]
    assert train > 0
    assert loaded == {
        "Polars": train,
        "DuckDB": train,
        "Hugging Face datasets": train,
        "TRL: trl-sft.jsonl": train,
        "TRL: trl-dpo.jsonl": train,
        "TRL: trl-kto.jsonl": 2 * train,
    }


@pytest.mark.parametrize(("name", "kind"), [("exports/new-form.jsonl", "json"), ("exports/other.parquet", "parquet")])
def test_an_export_of_a_kind_not_known_here_loads_as_a_table(name: str, kind: str) -> None:
    (way,) = ways_to_load([name, "card.md"])
    assert f'load_dataset("{kind}", data_files="{name}", split="train")' in way.code
