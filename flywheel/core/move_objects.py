"""Carry objects from one store to another, each read back and compared; what is there already is not sent again."""

import hashlib
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from flywheel.core.checksums import sha256_of_object
from flywheel.core.errors import CorruptObject
from flywheel.core.ids import sha256_of
from flywheel.core.storage import FileStat, FolderStore, Store

Tell = Callable[[str], None]

_AT_ONCE = 8  # objects on their way: a small one waits for the store most of its time
_BATCH = 64  # objects between two words about progress
_SMALL_BYTES = 8 << 20  # an object up to this is held in memory, eight at a time; larger ones go by way of a file

_CHUNK_BYTES = 1 << 20

# what is not an object though it may be in the lake's folder: the control folder's files, and what a move leaves
_CONTROL = re.compile(
    r"(catalog\.sqlite|catalog\.lock|ledger\.sqlite|publish-[^/]*\.lock|duckdb-init\.sql|prefect-server\.log)[^/]*"
    r"|(prefect|spilled|local-models|moves|probes)/.*"
)


@dataclass(frozen=True, slots=True)
class Carried:
    """An object that is in both stores with the same bytes."""

    stat: FileStat  # in the source
    sha256: str
    arrived: FileStat  # in the target, when it had just been compared
    is_sent: bool  # by this call, and not found there


def objects_of(store: Store) -> dict[str, FileStat]:
    """Return the objects of a lake by name: everything in its store that is not this machine's own."""
    return {name: stat for name, stat in store.stats("").items() if not _CONTROL.fullmatch(name)}


def carry_objects(
    source: Store, target: Store, wanted: Mapping[str, FileStat], done: Mapping[str, Carried], tell: Tell
) -> dict[str, Carried]:
    """Bring the target's objects to what the source's are; return all that have been carried, by name.

    Args:
        source: where they are; nothing is changed there.
        target: where they go; what it has of another content is written over, what the source has not is deleted.
        wanted: the source's objects, as `objects_of` tells them.
        done: what an earlier call carried; what is still the same on both sides is not read again.
        tell: what is told how far it is.

    Raises:
        CorruptObject: an object that was written does not read back as it was.
        StoreBusy: a store is away.
        FileNotFoundError: an object went away meanwhile.

    """
    there = objects_of(target)
    for name in there.keys() - wanted.keys():
        target.delete(name)
    kept = {
        name: one for name, one in done.items() if wanted.get(name) == one.stat and there.get(name) == one.arrived
    }
    left = iter(sorted(wanted.keys() - kept.keys()))
    with TemporaryDirectory(prefix="flywheel-move-") as folder, ThreadPoolExecutor(_AT_ONCE) as pool:

        def carry(name: str) -> Carried:
            return _carried(_Pair(source, target, Path(folder)), name, wanted[name], there.get(name))

        while some := list(islice(left, _BATCH)):
            tell(f"objects: {len(kept)} of {len(wanted)} are there")
            kept |= zip(some, pool.map(carry, some), strict=True)
    return kept


@dataclass(frozen=True, slots=True)
class _Pair:
    """Both stores, and a folder for objects that are too large to be held in memory."""

    source: Store
    target: Store
    folder: Path


def _carried(pair: _Pair, name: str, stat: FileStat, there: FileStat | None) -> Carried:
    """Make the target's object the source's and read it back, unless it is that already."""
    target = pair.target
    wanted, data, path = _read(pair, name, stat.size_bytes)
    is_sent = there is None or there.size_bytes != stat.size_bytes or _sha256(target, name, there) != wanted
    if is_sent and path is None:
        target.put(name, data)
    elif is_sent and path is not None:
        target.put_file(name, path)
    if path is not None and path.is_relative_to(pair.folder):
        path.unlink()
    if not is_sent and there is not None:
        return Carried(stat, wanted, there, is_sent)
    arrived = target.stats(name)[name]
    found = _sha256(target, name, arrived)
    if found != wanted:
        raise CorruptObject(target.url(name), found, wanted)
    return Carried(stat, wanted, arrived, is_sent)


def _read(pair: _Pair, name: str, size_bytes: int) -> tuple[str, bytes, Path | None]:
    """Return an object's hash, and its bytes if they are few, else a file that has them."""
    source = pair.source
    if size_bytes <= _SMALL_BYTES:
        data = source.read(name)
        return sha256_of(data), data, None
    if isinstance(source, FolderStore):
        return sha256_of_object(source, name), b"", Path(source.url(name))
    path, digest = pair.folder / sha256_of(name.encode()), hashlib.sha256()
    with source.open(name) as stream, path.open("wb") as written:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            written.write(chunk)
    return digest.hexdigest(), b"", path


def _sha256(store: Store, name: str, stat: FileStat) -> str:
    return sha256_of(store.read(name)) if stat.size_bytes <= _SMALL_BYTES else sha256_of_object(store, name)
