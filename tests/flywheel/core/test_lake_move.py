"""A lake that moves to another folder keeps every version, object and row; killed anywhere, the next move goes on."""

import json
import math
import shutil
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flywheel.core.errors import CorruptObject, TransientError, UsageError
from flywheel.core.lake import Lake
from flywheel.core.lake_check import check_tables
from flywheel.core.lake_move import Moved, move_lake, plan_move
from flywheel.core.move_target import Place
from flywheel.core.releases import list_releases, publish_files
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore, open_store

NOW = datetime(2026, 1, 5, tzinfo=UTC)
THURSDAY, FRIDAY = date(2026, 1, 1), date(2026, 1, 2)


def place(settings: Settings) -> Place:
    return Place(settings, open_store(settings))


@pytest.fixture
def old(settings: Settings) -> Settings:
    """Name a lake with rows in files and in the catalog, deleted ones in both, a release, and what else there is."""
    with Lake.open(settings) as lake:
        calls = [
            {"day": THURSDAY, "call_id": f"call {number}", "cost_usd": (0.1, math.nan, math.inf, None)[number % 4]}
            for number in range(40)
        ]
        lake.land("spend", lake.typed("spend", calls[:4]))
        lake.land("spend", lake.typed("spend", calls))
        texts = [{"day": THURSDAY, "trace_id": "a", "input": json.dumps("it's\0"), "output": "é\\x00\n\0'"}]
        lake.land("raw_traces", lake.typed("raw_traces", texts))
        sketch = {"day": FRIDAY, "fingerprint": -5, "kind": "words", "band_keys": b"\0\xff'", "marks": b"a"}
        lake.land("text_sketches", lake.typed("text_sketches", [sketch]))
        mode = {"day": FRIDAY, "mode_id": "m", "signals": ["a", "b'c, d"], "centroid": [0.1, 0.2]}
        lake.land("failure_modes", lake.typed("failure_modes", [mode]))
        for name in ("call 2", "call 20"):
            with lake.transaction("by hand", "spend") as cursor:
                cursor.execute("delete from spend where call_id = $name", {"name": name})
        made_of = lake.version()
        with lake.transaction("by hand", "spend") as cursor:
            cursor.execute("delete from spend where day = $day", {"day": THURSDAY})
    store = open_store(settings)
    files = {"train.parquet": b"rows", "large.bin": b"0123456789" * 1_000_000}
    publish_files(store, "corrections", files, {"content_hash": "abc", "lake_version": made_of}, NOW)
    store.put("inbox/an answer.jsonl", b"{}\n")
    (settings.control_folder / "prefect").mkdir()
    (settings.control_folder / "prefect" / "runs.db").write_bytes(b"this machine's own")
    return settings


@pytest.fixture
def new(tmp_path: Path) -> Settings:
    return Settings(lake=str(tmp_path / "new"))


def moved(old: Settings, new: Settings) -> Moved:
    found = move_lake(place(old), place(new), NOW)
    assert found.is_equal
    return found


def state(settings: Settings) -> dict[str, object]:
    """Return everything a reader can see of a lake, at every version."""
    with Lake.open(settings) as lake:
        newest = lake.version()
        rows = {
            (table, version): lake.frame(f"from {table} at (version => {version}) order by all").rows()
            for version in range(2, newest + 1)
            for table in ("spend", "raw_traces", "text_sketches", "failure_modes")
        }
        log = lake.frame("select * from lake.snapshots()").rows()
    store = open_store(settings)
    names = [name for name in store.names("") if name.startswith(("releases", "claims", "tags", "inbox", "tables"))]
    return {"rows": str(rows), "log": str(log), "objects": {name: store.read(name) for name in names}}


def test_everything_is_there_and_the_old_lake_as_it_was(old: Settings, new: Settings) -> None:
    before = state(old)
    plan = plan_move(place(old), place(new))
    assert not Path(new.lake).exists()
    done = moved(old, new)
    assert (done.object_count, done.sent_count) == (plan.object_count, plan.object_count)
    assert state(new) == before
    assert state(old) == before
    assert not (Path(new.lake) / "prefect").exists()
    compared = {(one.table, one.version): one.row_count for one in done.tables}
    release = list_releases(open_store(new))[0].manifest["lake_version"]
    assert (compared["spend", release], compared["spend", done.version]) == (38, 0)
    with Lake.open(new) as lake:
        assert not [one for one in check_tables(lake, open_store(new), NOW).findings if one.kind.is_fault]
        lake.land("spend", lake.typed("spend", [{"day": FRIDAY, "call_id": "later"}]))
        assert lake.version() == done.version + 1


def test_a_second_move_sends_nothing_and_brings_what_is_new(old: Settings, new: Settings) -> None:
    moved(old, new)
    assert moved(old, new).sent_count == 0
    with Lake.open(old) as lake:
        lake.land("drift", lake.typed("drift", [{"day": FRIDAY, "column_name": str(n)} for n in range(20)]))
    open_store(old).put("inbox/an answer.jsonl", b"{...}")
    open_store(old).delete("releases/corrections/1/large.bin")
    assert moved(old, new).sent_count == 2
    assert state(new) == state(old)


def test_what_does_not_fit_is_refused(old: Settings, new: Settings, tmp_path: Path) -> None:
    def refused(source: Settings, target: Settings, words: str) -> None:
        with pytest.raises(UsageError, match=words):
            move_lake(place(source), place(target), NOW)

    refused(old, old, "is at .* already")
    refused(old, Settings(lake=f"{old.lake}/inside"), "lies in the other")
    refused(old, Settings(lake=str(tmp_path)), "lies in the other")
    refused(Settings(lake=str(tmp_path / "nothing")), new, "no lake at")
    with Lake.open(Settings(lake=str(tmp_path / "other"))):
        refused(old, Settings(lake=str(tmp_path / "other")), "There is a lake at")
    open_store(new).put("notes.txt", b"mine")
    refused(old, new, "is not empty")
    assert open_store(new).read("notes.txt") == b"mine"


def test_a_lake_that_went_on_where_it_was_moved_to_is_not_written_over(old: Settings, new: Settings) -> None:
    moved(old, new)
    with Lake.open(new) as lake:
        lake.land("drift", lake.typed("drift", [{"day": FRIDAY, "column_name": "new"}]))
    with pytest.raises(UsageError, match=r"has gone on to version \d+ since"):
        move_lake(place(old), place(new), NOW)
    with Lake.open(old) as lake:
        for name in ("one", "two"):
            lake.land("drift", lake.typed("drift", [{"day": FRIDAY, "column_name": name}]))
    with pytest.raises(UsageError, match=r"has gone on to version \d+ since"):
        move_lake(place(old), place(new), NOW)


def test_there_and_back_is_the_same(old: Settings, new: Settings, tmp_path: Path) -> None:
    before = state(old)
    there = moved(old, new)
    with pytest.raises(UsageError, match="There is a lake at"):
        move_lake(place(new), place(old), NOW)
    back = Settings(lake=str(tmp_path / "back"))
    assert moved(new, back).tables == there.tables
    assert state(back) == before


def test_the_catalog_can_stay_where_it_is(old: Settings, tmp_path: Path) -> None:
    control = tmp_path / "control"
    one = Settings(lake=str(tmp_path / "one"), control=control)
    two = Settings(lake=str(tmp_path / "two"), control=control)
    moved(old, one)
    before = state(one)
    moved(one, two)
    shutil.rmtree(one.lake)
    assert state(two) == before


class Dishonest(FolderStore):
    """A store that loses a bit of one object."""

    def put(self, name: str, data: bytes) -> None:
        super().put(name, data[:-1] + b"?" if name.startswith("inbox/") else data)


def test_an_object_that_does_not_arrive_as_it_was_is_noticed(old: Settings, new: Settings) -> None:
    with pytest.raises(CorruptObject, match=r"inbox/an answer\.jsonl has sha256"):
        move_lake(place(old), Place(new, Dishonest(new.lake_root)), NOW)
    assert not (Path(new.lake) / "catalog.sqlite").exists()
    moved(old, new)
    assert open_store(new).read("inbox/an answer.jsonl") == b"{}\n"


def test_an_object_that_was_changed_after_it_arrived_is_sent_again(old: Settings, new: Settings) -> None:
    moved(old, new)
    store = open_store(new)
    name = store.names("tables/main/spend")[0]
    data = bytearray(store.read(name))
    data[len(data) // 2] ^= 1
    store.put(name, bytes(data))
    assert moved(old, new).sent_count == 1
    assert store.read(name) == open_store(old).read(name)


class Busy(FolderStore):
    """A source that somebody writes to whenever its objects are listed."""

    writes = 3

    def stats(self, prefix: str) -> object:  # type: ignore[override]
        if prefix == "" and self.writes:
            self.writes -= 1
            self.put(f"inbox/{self.writes}.jsonl", b"{}\n")
        return super().stats(prefix)


def test_what_is_written_meanwhile_is_brought_along(old: Settings, new: Settings) -> None:
    source = Busy(old.lake_root)
    assert move_lake(Place(old, source), place(new), NOW).is_equal
    assert open_store(new).names("inbox") == open_store(old).names("inbox")
    source.writes = 1000
    with pytest.raises(TransientError, match=r"goes on writing objects .* Stop `flywheel up`"):
        move_lake(Place(old, source), place(new), NOW)


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from flywheel.core import lake_move
from flywheel.core.lake_move import move_lake
from flywheel.core.move_target import Place
from flywheel.core.settings import Settings
from flywheel.core.storage import open_store, FolderStore

old, new, moment = sys.argv[1:]
class Mortal(FolderStore):
    left = int(moment) if moment.isdigit() else -1
    def put(self, name, data):
        Mortal.left -= 1
        if Mortal.left == 0:
            self._write_beside(self._path(name), data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        super().put(name, data)
def tell(step):
    if step.startswith(moment):
        os.kill(os.getpid(), signal.SIGKILL)
old, new = Settings(lake=old), Settings(lake=new)
assert move_lake(Place(old, open_store(old)), Place(new, Mortal(new.lake_root)), datetime.now(UTC), tell).is_equal
"""


@pytest.mark.parametrize("moment", ["1", "2", "5", "the catalog", "comparing"])
def test_killed_anywhere_the_next_one_goes_on(old: Settings, new: Settings, moment: str) -> None:
    call = [sys.executable, "-c", KILLED, old.lake, new.lake, moment]
    assert subprocess.run(call, check=False).returncode == -signal.SIGKILL
    assert (Path(new.lake) / "catalog.sqlite").exists() == (moment == "comparing")
    moved(old, new)
    assert state(new) == state(old)
