"""What a lake must keep up with as it grows, measured: `python -m benchmarks.lake_history WORK FOLDER [ARGUMENTS]`.

diff of two large releases against reading both; listing, finding and time travel with many versions; lineage of one
correction among millions. Prints JSON: seconds, of the work alone.
"""

import io
import json
import shutil
import statistics
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.lake_cases import measured
from benchmarks.lake_rows import as_release, later
from flywheel.core.lake import Lake
from flywheel.core.releases import find_release, list_releases, publish_files
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore
from flywheel.core.versions import lake_versions

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_REPEATS = 7
# the tables that a correction's way back leads through, filled in SQL; hash ids, as the product's are
_LINEAGE = {
    "corrections": "md5('c' || n) as correction_id, md5('a' || n) as answer_id, md5('e' || n) as example_id, "
    "md5('t' || n) as trace_id, md5('m' || n % 50) as mode_id, 'ai' as author_kind, 'why is ' || n as query",
    "answers": "md5('a' || n) as answer_id, md5('e' || n) as example_id, 0.01 as cost_usd, 'batch' as batch_id",
    "hard_examples": "md5('e' || n) as example_id, md5('t' || n) as trace_id, 'hard' as purpose, 0.5 as hardness",
    "routes": "md5('e' || n) as example_id, 'ai' as route, 'cheapest' as reason",
    "traces": "md5('t' || n) as trace_id, 'wheel-small' as model, 'log.jsonl' as source_file, n as source_line",
    "failures": "md5('t' || n) as trace_id, 0.9 as p_failure, ['thumbs_down'] as signals",
}


def _settings(folder: Path) -> Settings:
    return Settings(lake=str(folder))


def prepare_diff(folder: Path) -> dict[str, float]:
    """Publish two releases of all rows, the second with 1 % of them gone, 1 % changed and 1 % new."""
    shutil.rmtree(folder / "releases-lake", ignore_errors=True)
    store = FolderStore(str(folder / "releases-lake"))
    rows = as_release(pl.read_parquet(folder / "rows.parquet"))
    for name, held in (("one", rows), ("two", later(rows))):
        files = {"preferences.parquet": _bytes(held.head(0))}
        for side in ("train", "heldout"):
            files[f"{side}.parquet"] = _bytes(held.filter(pl.col("split") == side))
        publish_files(store, "corrections", files, {"content_hash": name}, _NOW)
    with Lake.open(_settings(folder / "releases-lake")):
        return {}


def read_both(folder: Path) -> dict[str, float]:
    """Measure reading both releases, each file checked against its manifest."""
    from flywheel.publish.release_rows import read_rows

    store = FolderStore(str(folder / "releases-lake"))
    with measured() as found:
        held = [read_rows(store, find_release(store, "corrections", version)) for version in ("1", "2")]
    return found | {"rows": sum(rows.height for rows in held)}


def diff(folder: Path) -> dict[str, float]:
    """Measure comparing both releases, reading included."""
    from flywheel.publish.compare import compare

    store = FolderStore(str(folder / "releases-lake"))
    with Lake.open(_settings(folder / "releases-lake")) as lake, measured() as found:
        two = [find_release(store, "corrections", version) for version in ("1", "2")]
        different = compare(lake, store, *two)
    return found | dict(different.counts)


def versions(folder: Path, count: str) -> dict[str, float]:
    """Make a lake with so many more versions and as many releases; return seconds of each way to look at them."""
    place = folder / f"versions-{count}"
    shutil.rmtree(place, ignore_errors=True)
    store, settings, total = FolderStore(str(place)), _settings(place), int(count)
    with Lake.open(settings) as lake:
        for number in range(total):
            row = {"day": _NOW.date(), "correction_id": str(number)}
            lake.land("corrections", lake.typed("corrections", [row]))
            facts = {"content_hash": str(number), "rows": {"train": 1, "heldout": 0}, "lake_version": lake.version()}
            publish_files(store, "d", {f"{name}.txt": b"x" for name in ("train", "heldout", "gate")}, facts, _NOW)
        newest = lake.version()
    middle = newest - total // 2

    def travel() -> None:
        with Lake.open(settings, at=middle) as then:
            then.scalar("select count(*) from corrections")

    return {
        "list releases": _middle(lambda: list_releases(store, "d")),
        "find a release by number": _middle(lambda: find_release(store, "d", str(total // 2))),
        "find a release by tag": _middle(lambda: find_release(store, "d", "latest")),
        "list versions of the lake": _middle(lambda: lake_versions(settings)),
        "open an older version and count": _middle(travel),
    }


def lineage(folder: Path, count: str, days: str) -> dict[str, float]:
    """Fill the tables of a lineage and return seconds of looking one correction's up, by id and by day and id."""
    place, total = folder / "lineage", int(count)
    settings = _settings(place)
    if not place.exists():
        with Lake.open(settings) as lake:
            for table, columns in _LINEAGE.items():
                lake.connection.execute(
                    f"insert into lake.{table} by name "  # noqa: S608 - ours
                    f"select date '2026-01-01' + (n * {int(days)} // {total})::int as day, {columns} "
                    f"from range({total}) as numbers (n)"
                )
    with Lake.open(settings) as lake:
        wanted = lake.frame("select correction_id, day from corrections where query = $q", q=f"why is {total // 3}")
        found, day = wanted.row(0)
        by_id = "select * from correction_lineage where correction_id = $id"

        def ask(query: str, **given: Any) -> Callable[[], None]:
            def run() -> None:
                (row,) = lake.frame(query, id=found, **given).to_dicts()
                assert row["source_line"] == total // 3

            return run

        return {
            "by id": _middle(ask(by_id)),
            "by id and day": _middle(ask(f"{by_id} and day = $day", day=day)),
        }


def _bytes(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _middle(work: Callable[[], object]) -> float:
    """Return the wall seconds of the middle one of several calls, after a first that is not counted."""
    work()
    spent = []
    for _ in range(_REPEATS):
        with measured() as found:
            work()
        spent.append(found["wall_seconds"])
    return statistics.median(spent)


WORK: dict[str, Callable[..., dict[str, float]]] = {
    "prepare_diff": prepare_diff, "read_both": read_both, "diff": diff, "versions": versions, "lineage": lineage,
}  # fmt: skip

if __name__ == "__main__":
    work, place, *rest = sys.argv[1:]
    print(json.dumps(WORK[work](Path(place), *rest)))
