"""What changes a lake or its releases, done by a child that waits to be killed; and what has to hold afterwards.

`python -m tests.faults.acts FOLDER` forks such a child for each act it is told.
"""

import json
import os
import signal
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from flywheel.core.lake import Lake
from flywheel.core.lake_check import check_tables
from flywheel.core.lake_compact import compact_lake
from flywheel.core.lake_move import move_lake
from flywheel.core.move_target import Place
from flywheel.core.release_check import check_releases
from flywheel.core.release_repair import repair_releases
from flywheel.core.releases import find_release, list_releases, publish_files, read_file
from flywheel.core.repair_steps import RepairPolicy
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore
from flywheel.core.tags import move_tag, tags
from flywheel.ingest.files import ingest_file
from flywheel.ingest.forget import forget
from flywheel.ingest.forget_rows import Subject
from flywheel.publish.day import publish_day

DAY, NOW = date(2026, 1, 5), datetime(2026, 1, 9, tzinfo=UTC)
MARK = "zebrafish"  # in everything Ann's calls say, and in nothing else


def spend(first: int, count: int) -> list[dict[str, Any]]:
    return [{"day": DAY, "call_id": f"c{number}", "cost_usd": 0.5} for number in range(first, first + count)]


def correction(number: int, day: date = DAY) -> dict[str, Any]:
    query = f"{number * 7919:x} question {number * 104729:x}"
    return {
        "day": day,
        "correction_id": f"{number:04x}",
        "answer_id": f"{number:04x}",
        "input": json.dumps([{"role": "user", "content": query}]),
        "query": query,
        "rejected": "unknown",
        "chosen": ("refund", "card_lost", "exchange_rate")[number % 3],
        "author_kind": "human",
        "author_id": "ann",
        "agreement": 1.0,
        "depth": 0,
        "cost_usd": 0.5,
    }


def call(number: int, user: str, text: str) -> str:
    record = {
        "timestamp": f"2026-01-05T{number:02d}:00:00Z",
        "user": user,
        "request": {"messages": [{"role": "user", "content": f"{text} {number}"}]},
        "response": {"id": f"r-{number}", "model": "m", "choices": [{"message": {"content": f"said {text}"}}]},
    }
    return json.dumps(record) + "\n"


class World:
    """A lake with rows in small pieces, calls of two people, a release and its tags, under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(lake=str(folder / "lake"))
        self.store = FolderStore(self.settings.lake_root)

    def open(self) -> Lake:
        return Lake.open(self.settings)

    def make(self) -> None:
        log = self.folder / "log.jsonl"
        self.folder.mkdir()
        log.write_text("".join(call(n, *(("ann", MARK) if n % 2 else ("bob", "query"))) for n in range(12)))
        with self.open() as lake:
            ingest_file(lake, str(log), now=NOW)
            lake.build("traces", DAY)
            for first in range(0, 80, 20):
                lake.land("spend", lake.typed("spend", spend(first, 20)))
            lake.land("corrections", lake.typed("corrections", [correction(number) for number in range(20)]))
            publish_day(lake, self.store, self.settings, DAY, NOW)
            lake.land("corrections", lake.typed("corrections", [correction(number) for number in range(20, 30)]))

    def versions(self) -> list[int]:
        """Read every file of every release, and return their versions; they have to be in sequence."""
        found = list_releases(self.store, "corrections")
        for release in found:
            assert release.manifest["files"]
            for name in release.manifest["files"]:
                read_file(self.store, release, name)
        assert [release.version for release in found] == list(range(1, len(found) + 1))
        assert set(tags(self.store, "corrections").values()) <= {release.version for release in found}
        return [release.version for release in found]

    def assert_healthy(self) -> None:
        """Nothing that anybody reads is missing or broken; what nobody reads may lie about until it is cleared."""
        with self.open() as lake:
            found = [*check_tables(lake, self.store, NOW, is_deep=True).findings]
        found += check_releases(self.store, is_deep=True)
        assert [one for one in found if one.kind.is_fault] == []


class Act:
    """Something that is done to a world and may be cut short; `see` what is left of it, and whether `again` heals."""

    def prepare(self, world: World) -> Any:
        """What is done before the first step that counts."""

    def do(self, world: World, prepared: Any) -> None:
        raise NotImplementedError

    def see(self, world: World, *, is_acknowledged: bool) -> None:
        raise NotImplementedError

    def see_healed(self, world: World) -> None:
        self.see(world, is_acknowledged=True)


class Publish(Act):
    def do(self, world: World, _prepared: Any) -> None:
        files = {f"{name}.txt": f"{name}".encode() * 100 for name in "abc"}
        publish_files(world.store, "corrections", files, {"content_hash": "two"}, NOW)

    def see(self, world: World, *, is_acknowledged: bool) -> None:
        seen = world.versions()
        assert seen in ([[1, 2]] if is_acknowledged else [[1], [1, 2]])
        assert find_release(world.store, "corrections", "latest").version in seen

    def see_healed(self, world: World) -> None:
        self.see(world, is_acknowledged=True)
        assert tags(world.store, "corrections") == {"latest": 2}
        repair_releases(world.store, datetime.now(UTC) + timedelta(days=2), RepairPolicy())
        assert world.store.names("staged") == []


class Tag(Act):
    def do(self, world: World, _prepared: Any) -> None:
        move_tag(world.store, "corrections", "prod", 1, NOW)

    def see(self, world: World, *, is_acknowledged: bool) -> None:
        world.versions()
        expected = [{"latest": 1, "prod": 1}] if is_acknowledged else [{"latest": 1}, {"latest": 1, "prod": 1}]
        assert tags(world.store, "corrections") in expected

    def see_healed(self, world: World) -> None:
        self.see(world, is_acknowledged=True)
        assert world.store.names("tags/corrections/prod") == ["tags/corrections/prod/00000000.json"]


class InLake(Act):
    """Something that is done with the lake open; opening it is not part of it."""

    def prepare(self, world: World) -> Any:
        return world.open()


class Land(InLake):
    """A commit that adds, and one that takes away and adds."""

    def do(self, _world: World, prepared: Any) -> None:
        prepared.land("spend", prepared.typed("spend", spend(80, 40)))
        kept = prepared.frame("select * exclude (run_id) from spend where call_id <> 'c0'")
        prepared.replace("spend", DAY, kept)

    def see(self, world: World, *, is_acknowledged: bool) -> None:
        with world.open() as lake:
            counts = lake.frame("select count(*), count(distinct call_id) from spend").row(0)
        assert counts in ([(119, 119)] if is_acknowledged else [(80, 80), (120, 120), (119, 119)])


class PublishDay(InLake):
    """Gathering, the gate, the release and its record in the lake."""

    def do(self, world: World, prepared: Any) -> None:
        publish_day(prepared, world.store, world.settings, DAY, NOW)

    def see(self, world: World, *, is_acknowledged: bool) -> None:
        assert world.versions() in ([[1, 2]] if is_acknowledged else [[1], [1, 2]])

    def see_healed(self, world: World) -> None:
        self.see(world, is_acknowledged=True)
        assert tags(world.store, "corrections") == {"latest": 2}
        with world.open() as lake:
            assert lake.scalar("select count(*) from release_profiles") == 2
            assert lake.scalar("select count(*) = count(distinct gate_id) from gates") is True


class Compact(InLake):
    def do(self, world: World, prepared: Any) -> None:
        # twice: the files the first one took out of use are deleted by the second
        for later in (timedelta(days=1), timedelta(days=4000)):
            compact_lake(prepared, world.store, datetime.now(UTC) + later, keep_days=0)

    def see(self, world: World, *, is_acknowledged: bool) -> None:  # noqa: ARG002 - it looks the same before and after
        release = find_release(world.store, "corrections", "1")
        with world.open() as lake:
            assert lake.frame("select count(*), count(distinct call_id) from spend").row(0) == (80, 80)
            assert lake.scalar("select count(*) from raw_traces") == 12
        with Lake.open(world.settings, at=release.manifest["lake_version"]) as lake:
            assert lake.scalar("select count(*) from corrections") == 20
        world.versions()


class Forget(InLake):
    def do(self, world: World, prepared: Any) -> None:
        forget(prepared, world.store, Subject("actor", "ann"), NOW)

    def see(self, world: World, *, is_acknowledged: bool) -> None:
        with world.open() as lake:
            by_table = {
                (lake.scalar("select count(*) from raw_traces"), lake.scalar("select count(*) from traces")),
            }
            entombed = lake.scalar("select count(*) > 0 from forgotten")
        assert by_table == ({(6, 6)} if entombed else {(12, 12)})
        assert entombed or not is_acknowledged

    def see_healed(self, world: World) -> None:
        self.see(world, is_acknowledged=True)
        (world.folder / "log.jsonl").unlink()
        told = [path for path in world.folder.rglob("*") if path.is_file() and MARK.encode() in path.read_bytes()]
        assert told == []


class Move(Act):
    """The whole lake to another folder; the old one stays what it was."""

    def target(self, world: World) -> Place:
        settings = Settings(lake=str(world.folder / "moved"))
        return Place(settings, FolderStore(settings.lake_root))

    def do(self, world: World, _prepared: Any) -> None:
        assert move_lake(Place(world.settings, world.store), self.target(world), NOW).is_equal

    def see(self, world: World, *, is_acknowledged: bool) -> None:
        world.versions()
        places = [world.settings, self.target(world).settings] if is_acknowledged else [world.settings]
        for settings in places:  # a half-moved lake is nobody's yet
            with Lake.open(settings) as lake:
                assert lake.frame("select count(*), count(distinct call_id) from spend").row(0) == (80, 80)
                assert lake.scalar("select count(*) from raw_traces") == 12

    def see_healed(self, world: World) -> None:
        self.see(world, is_acknowledged=True)
        moved = World(world.folder)
        moved.settings, moved.store = self.target(world).settings, FolderStore(str(world.folder / "moved"))
        assert moved.versions() == [1]
        moved.assert_healthy()


ACTS: dict[str, Act] = {
    "publish": Publish(),
    "tag": Tag(),
    "land": Land(),
    "publish_day": PublishDay(),
    "compact": Compact(),
    "forget": Forget(),
    "move": Move(),
}


def serve(folder: str) -> None:
    """Fork a child for each act named on a line; it stops when it is ready, for strace to take hold of it."""
    import great_expectations  # noqa: F401 - once, and not in every child

    out = sys.stdout
    for line in sys.stdin:
        act, world = ACTS[line.strip()], World(Path(folder))
        ear, mouth = os.pipe()
        child = os.fork()
        if child == 0:
            prepared = act.prepare(world)
            os.kill(os.getpid(), signal.SIGSTOP)
            act.do(world, prepared)
            os.write(mouth, b"done")
            os._exit(0)
        os.close(mouth)
        assert os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1])
        out.write(f"{child}\n")
        out.flush()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.write(json.dumps([status, os.read(ear, 4) == b"done"]) + "\n")
        out.flush()
        os.close(ear)


if __name__ == "__main__":
    serve(sys.argv[1])
