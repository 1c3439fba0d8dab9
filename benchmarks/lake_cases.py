"""Work on a lake or on an alternative to it, measured: `python -m benchmarks.lake_cases WORK FOLDER NAME`.

Prints CPU seconds (user and system, of the process and its children) and wall seconds of the work alone: not the
start of Python, and not reading what is to be written. Each runs in a process of its own.
"""

import json
import os
import resource
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

SMALL_ROWS, SMALL_COMMITS = 100, 30


def cpu_seconds() -> float:
    """Return what this process and the children it waited for have used."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Yield what gets the CPU and wall seconds of the block."""
    found: dict[str, float] = {}
    began, wall = cpu_seconds(), time.perf_counter()
    yield found
    found |= {"cpu_seconds": cpu_seconds() - began, "wall_seconds": time.perf_counter() - wall}


def sync(path: Path) -> None:
    """Let a file, or the names in a folder, reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


class Flywheel:
    """The lake by its own doors: land, open at a version, ask."""

    def __init__(self, folder: Path) -> None:
        from flywheel.core.lake import Lake
        from flywheel.core.settings import Settings

        self._settings = Settings(lake=str(folder / "flywheel"))
        self._lake = Lake.open(self._settings)
        self._open = Lake.open

    def prepare(self, rows: pl.DataFrame) -> Any:
        return rows.cast({"depth": pl.Int64})

    def write(self, rows: Any) -> None:
        self._lake.land("corrections", rows)

    def version(self) -> int:
        return self._lake.version()

    def read(self, version: int) -> int:
        with self._open(self._settings, at=version) as then:
            return then.frame("select * from corrections").height


class BareParquet:
    """A Parquet file per commit, written by DuckDB and synced; a version is the files up to it."""

    def __init__(self, folder: Path) -> None:
        import duckdb

        self._folder = folder / "parquet"
        self._folder.mkdir(exist_ok=True)
        self._connection = duckdb.connect()

    def prepare(self, rows: pl.DataFrame) -> Any:
        return rows.to_arrow()

    def write(self, rows: Any) -> None:
        self._connection.register("fresh_rows", rows)
        path = self._folder / f"{self.version():08d}.parquet"
        self._connection.execute(f"copy fresh_rows to '{path}' (format parquet, compression zstd)")
        sync(path)
        sync(self._folder)

    def version(self) -> int:
        return len(list(self._folder.iterdir()))

    def read(self, version: int) -> int:
        files = [str(self._folder / f"{number:08d}.parquet") for number in range(version)]
        return self._connection.execute("select * from read_parquet($files)", {"files": files}).pl().height


class Delta:
    """A Delta table through deltalake, compressed as ours is."""

    def __init__(self, folder: Path) -> None:
        import deltalake  # noqa: F401 - its import is not what is measured

        self._path = str(folder / "delta")

    def prepare(self, rows: pl.DataFrame) -> Any:
        return rows.to_arrow(compat_level=pl.CompatLevel.oldest())

    def write(self, rows: Any) -> None:
        from deltalake import WriterProperties, write_deltalake

        write_deltalake(
            self._path, rows, mode="append", partition_by=["day"],
            writer_properties=WriterProperties(compression="ZSTD", compression_level=3),
        )  # fmt: skip

    def version(self) -> int:
        from deltalake import DeltaTable

        return DeltaTable(self._path).version()

    def read(self, version: int) -> int:
        from deltalake import DeltaTable

        return int(DeltaTable(self._path, version=version).to_pyarrow_table().num_rows)


class Iceberg:
    """An Iceberg table through pyiceberg with its SQLite catalog."""

    def __init__(self, folder: Path) -> None:
        from pyiceberg.catalog.sql import SqlCatalog

        place = folder / "iceberg"
        place.mkdir(exist_ok=True)
        self._catalog = SqlCatalog("local", uri=f"sqlite:///{place}/catalog.db", warehouse=f"file://{place}")
        self._catalog.create_namespace_if_not_exists("lake")

    def prepare(self, rows: pl.DataFrame) -> Any:
        arrow = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
        self._table = self._catalog.create_table_if_not_exists("lake.corrections", arrow.schema)
        if not self._table.spec().fields:
            with self._table.update_spec() as spec:
                spec.add_identity("day")
        return arrow

    def write(self, rows: Any) -> None:
        self._table.append(rows)

    def version(self) -> int:
        snapshot = self._catalog.load_table("lake.corrections").current_snapshot()
        assert snapshot is not None
        return snapshot.snapshot_id

    def read(self, version: int) -> int:
        return int(self._catalog.load_table("lake.corrections").scan(snapshot_id=version).to_arrow().num_rows)


CONTENDERS: dict[str, Callable[[Path], Any]] = {
    "flywheel": Flywheel,
    "deltalake": Delta,
    "pyiceberg": Iceberg,
    "bare Parquet": BareParquet,
}


def commit(folder: Path, name: str) -> dict[str, float]:
    """Measure one commit of all rows to an empty table, then commit a few more, unmeasured, as a second version."""
    shutil.rmtree(folder / name, ignore_errors=True)
    (folder / name).mkdir()
    rows = pl.read_parquet(folder / "rows.parquet")
    contender = CONTENDERS[name](folder / name)
    prepared = contender.prepare(rows)
    with measured() as found:
        contender.write(prepared)
    found["version"] = contender.version()
    contender.write(contender.prepare(_other(rows, 0)))
    return found


def read(folder: Path, name: str, version: str) -> dict[str, float]:
    """Measure opening the older version and reading all of its rows and columns into memory."""
    contender = CONTENDERS[name](folder / name)
    with measured() as found:
        found["rows"] = contender.read(int(version))
    return found


def small(folder: Path, name: str) -> dict[str, float]:
    """Measure commits of a few rows, one after the other, and return the middle one."""
    place = folder / f"{name}-small"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    rows = pl.read_parquet(folder / "rows.parquet", n_rows=SMALL_ROWS)
    contender = CONTENDERS[name](place)
    batches = [contender.prepare(_other(rows, number)) for number in range(SMALL_COMMITS)]
    spent = []
    for batch in batches:
        with measured() as found:
            contender.write(batch)
        spent.append(found)
    return {key: statistics.median(one[key] for one in spent) for key in ("cpu_seconds", "wall_seconds")}


def _other(rows: pl.DataFrame, number: int) -> pl.DataFrame:
    """Return a few rows that are there nowhere else."""
    few = rows.head(SMALL_ROWS)
    return few.with_columns(pl.concat_str(pl.lit(f"{number}-"), "correction_id").alias("correction_id"))


if __name__ == "__main__":
    work, place, *rest = sys.argv[1:]
    print(json.dumps({"commit": commit, "read": read, "small": small}[work](Path(place), *rest)), flush=True)
    os._exit(0)  # threads that deltalake leaves behind abort Python's own end
