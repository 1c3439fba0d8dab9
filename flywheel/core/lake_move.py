"""Move a lake to another place: objects first, then the catalog in one step, then a comparison of everything.

The old lake stays as it is and is the truth until somebody changes the settings. Killed anywhere, the next call goes
on: what is there with the same bytes is not sent again.
"""

import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from flywheel.core.errors import BrokenLake, TransientError, UsageError
from flywheel.core.lake_compact import pinned_versions
from flywheel.core.locks import every_writer_lock
from flywheel.core.move_catalog import (
    Identity,
    catalog_hashes,
    copy_catalog,
    data_path,
    is_same_catalog,
    read_identity,
    repoint_catalog,
)
from flywheel.core.move_check import Content, contents
from flywheel.core.move_objects import Carried, Tell, carry_objects, objects_of
from flywheel.core.move_target import Place, check_places, check_target, forget_end, note_end, note_start
from flywheel.core.queries import load_tables
from flywheel.core.settings import Settings

_PASSES = 5  # how often what was written meanwhile is fetched before writers are told to stop


@dataclass(frozen=True, slots=True)
class Compared:
    """What a table holds in both places at a version."""

    table: str
    version: int
    row_count: int
    row_hash: str
    moved_row_count: int
    moved_row_hash: str

    @property
    def is_equal(self) -> bool:
        """Whether both are the same."""
        return (self.row_count, self.row_hash) == (self.moved_row_count, self.moved_row_hash)


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move did, or would do."""

    lake_id: str
    version: int  # the newest one that was moved
    object_count: int
    object_bytes: int
    sent_count: int  # of these, how many were not there yet
    is_catalog_equal: bool
    tables: tuple[Compared, ...]
    kept: tuple[str, ...]  # files of the control folder that were there already, of something else

    @property
    def is_equal(self) -> bool:
        """Whether everything that was compared is the same in both places."""
        return self.is_catalog_equal and all(one.is_equal for one in self.tables)


def plan_move(source: Place, target: Place) -> Moved:
    """Return what a move would carry; nothing is written anywhere.

    Raises:
        UsageError: there is no lake, or it cannot be moved there.

    """
    moving, _ = _checked(source, target)
    wanted = objects_of(source.store) if _is_carrying(source, target) else {}
    there = objects_of(target.store) if wanted else {}
    missing = [
        name for name, stat in wanted.items() if name not in there or there[name].size_bytes != stat.size_bytes
    ]
    size = sum(stat.size_bytes for stat in wanted.values())
    return Moved(moving.lake_id, moving.version, len(wanted), size, len(missing), True, (), ())


def move_lake(source: Place, target: Place, now: datetime, tell: Tell = lambda _: None) -> Moved:
    """Make the target's place hold the lake, with all its versions, and compare both.

    Writers of the source wait while the last of it is copied; who writes there afterwards is not heard of here.

    Args:
        source: the lake; it is only read, but for the catalog's word about where files are when the catalog stays.
        target: an empty place, or one where this began before.
        now: when.
        tell: what is told how far it is.

    Raises:
        UsageError: there is no lake, or it cannot be moved there.
        CorruptObject: an object did not arrive as it was.
        LakeBusy, StoreBusy, TransientError: somebody goes on writing, or a store is away.

    """
    moving, has_begun = _checked(source, target)
    note_start(source, target, moving, now)
    forget_end(target.store, moving.lake_id)
    carried = _carried(source, target, {}, tell)
    with every_writer_lock(source.settings, load_tables()):
        carried = _settled(source, target, carried, tell)
        tell("the catalog")
        moving, versions, before, is_catalog_equal = _carry_catalog(source, target)
    kept = _carry_control(source.settings, target.settings, is_replaced=has_begun)
    tell("comparing all tables")
    tables = _compared(before or contents(source.settings, versions), contents(target.settings, versions))
    size = sum(one.stat.size_bytes for one in carried.values())
    sent = sum(one.is_sent for one in carried.values())
    moved = Moved(moving.lake_id, moving.version, len(carried), size, sent, is_catalog_equal, tables, kept)
    if moved.is_equal:
        note_end(target.store, moving.lake_id, _facts(source, moved, carried, now))
    return moved


def _checked(source: Place, target: Place) -> tuple[Identity, bool]:
    check_places(source.settings, target.settings)
    moving = read_identity(source.settings)
    if moving is None:
        raise UsageError(f"There is no lake at {source.words}. `flywheel doctor` shows what the settings name.")
    return moving, check_target(source, target, moving)


def _is_carrying(source: Place, target: Place) -> bool:
    return source.settings.lake_root != target.settings.lake_root


def _carried(source: Place, target: Place, done: Mapping[str, Carried], tell: Tell) -> Mapping[str, Carried]:
    """Return what was carried by one pass; what went away meanwhile is left for the next."""
    if not _is_carrying(source, target):
        return {}
    try:
        return carry_objects(source.store, target.store, objects_of(source.store), done, tell)
    except FileNotFoundError:
        return done


def _settled(source: Place, target: Place, carried: Mapping[str, Carried], tell: Tell) -> Mapping[str, Carried]:
    """Carry what was written meanwhile, until a look at both sides finds nothing new."""
    if not _is_carrying(source, target):
        return {}
    for _ in range(_PASSES):
        there, arrived = objects_of(source.store), objects_of(target.store)
        if there == {name: one.stat for name, one in carried.items()} and arrived == {
            name: one.arrived for name, one in carried.items()
        }:
            return carried
        carried = _carried(source, target, carried, tell)
    raise TransientError(
        f"Somebody goes on writing objects of {source.settings.lake_root!r}. Stop `flywheel up` and what else writes "
        "there, then move again: it goes on where it was."
    )


def _carry_catalog(source: Place, target: Place) -> tuple[Identity, set[int], list[Content], bool]:
    """Bring the catalog over; return what it was of, which versions to compare, and whether it is the same.

    Where the catalog stays, the source cannot be read any more, so what it held is returned as well.
    """
    moving = read_identity(source.settings)
    if moving is None:
        raise BrokenLake("its catalog went away while it was moved")
    versions = {moving.version, *pinned_versions(source.store)}
    new_path = data_path(target.settings)
    if is_same_catalog(source.settings, target.settings):
        before = list(contents(source.settings, versions))
        hashes = catalog_hashes(source.settings, new_path)
        repoint_catalog(source.settings, target.settings)
        return moving, versions, before, hashes == catalog_hashes(target.settings, new_path)
    hashes = catalog_hashes(source.settings, new_path)
    held = read_identity(target.settings)
    if held is None or catalog_hashes(target.settings, new_path) != hashes:
        copy_catalog(source.settings, target.settings)
    return moving, versions, [], hashes == catalog_hashes(target.settings, new_path)


def _compared(here: Iterable[Content], there: Iterable[Content]) -> tuple[Compared, ...]:
    one = {(content.table, content.version): content for content in here}
    other = {(content.table, content.version): content for content in there}
    return tuple(_pair(*key, one.get(key), other.get(key)) for key in sorted(one.keys() | other.keys()))


def _pair(table: str, version: int, here: Content | None, there: Content | None) -> Compared:
    told = [(-1, "none") if one is None else (one.row_count, f"{one.row_hash:x}") for one in (here, there)]
    return Compared(table, version, *told[0], *told[1])


def _facts(source: Place, moved: Moved, carried: Mapping[str, Carried], now: datetime) -> dict[str, object]:
    """Return what the target's last object says: what came, from where, and what everything hashed to."""
    return {
        "lake_id": moved.lake_id,
        "from": source.words,
        "version": moved.version,
        "moved_at": now.isoformat(),
        "tables": [asdict(one) for one in moved.tables],
        "objects": {name: one.sha256 for name, one in sorted(carried.items())},
    }


def _carry_control(source: Settings, target: Settings, *, is_replaced: bool) -> tuple[str, ...]:
    """Copy the spend ledger and the local provider's models; return those that are there of something else."""
    here, there = source.control_folder, target.control_folder
    if here == there:
        return ()
    kept = []
    there.mkdir(parents=True, exist_ok=True)
    ledger = "ledger.sqlite"
    if (here / ledger).exists():
        if (there / ledger).exists() and not is_replaced:
            kept.append(str(there / ledger))
        else:
            _back_up(here / ledger, there / ledger)
    models = "local-models"
    if (there / models).exists() and not is_replaced:
        kept.append(str(there / models))
    elif (here / models).exists():
        shutil.copytree(here / models, there / models, dirs_exist_ok=True)
    return tuple(kept)


def _back_up(source: Path, target: Path) -> None:
    """Copy a SQLite file that somebody may be writing to."""
    moving = target.with_name(f"{target.name}.moving")
    moving.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(moving)) as new:
        old.backup(new)
    moving.replace(target)
