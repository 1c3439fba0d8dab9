"""Objects that are not tables: logs, releases, reports; in a folder or under an s3:// prefix.

The one primitive everything stands on is `put_new`: create a key that does not exist, or learn that it does.
"""

import os
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol
from uuid import uuid4

from flywheel.core.durable import sync
from flywheel.core.refusals import explain_s3
from flywheel.core.settings import Settings, load_settings

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FileStat:
    """By what an object is known to be the same without opening it; `modified` is a time in ns or an entity tag."""

    size_bytes: int
    modified: str
    written_at: datetime | None = field(default=None, compare=False)  # when the store says it got there


class Store(Protocol):
    """Named bytes under one root."""

    root: str

    def read(self, name: str) -> bytes:
        """Return an object's bytes; FileNotFoundError where there is none."""

    def put(self, name: str, data: bytes) -> None:
        """Write an object, whole or not at all, over an older one."""

    def put_file(self, name: str, path: Path) -> None:
        """Write an object from a local file of any size, whole or not at all, over an older one."""

    def put_new(self, name: str, data: bytes) -> bool:
        """Write an object unless the name is taken; return whether what is there now is this call's.

        A store that answers by network cannot tell who wrote equal bytes: then every writer of them is told yes.
        """

    def names(self, prefix: str) -> list[str]:
        """Return the names of all objects under a folder, sorted."""

    def stats(self, prefix: str) -> Mapping[str, FileStat]:
        """Return size and time of all objects under a folder, or of the one object that has this name."""

    def delete(self, name: str) -> None:
        """Remove an object that is there."""

    def open(self, name: str) -> Any:
        """Return a context manager over a binary stream."""

    def url(self, name: str) -> str:
        """Return what DuckDB or Polars reads this object by."""


class FolderStore:
    """Objects as files; every write reaches the disk before it is visible."""

    def __init__(self, root: str) -> None:
        self.root = root

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        return self._path(name).read_bytes()

    def put(self, name: str, data: bytes) -> None:
        """Write beside the target, sync, then rename over it."""
        path = self._path(name)
        written = self._write_beside(path, data)
        written.replace(path)
        sync(path.parent)

    def put_file(self, name: str, path: Path) -> None:
        """Copy beside the target, sync, then rename over it."""
        target = self._path(name)
        with path.open("rb") as stream:
            written = self._write_beside(target, iter(lambda: stream.read(_CHUNK_BYTES), b""))
        written.replace(target)
        sync(target.parent)

    def put_new(self, name: str, data: bytes) -> bool:
        """Write beside the target, sync, then link: the link fails when the name is taken."""
        path = self._path(name)
        written = self._write_beside(path, data)
        try:
            os.link(written, path)
        except FileExistsError:
            return False
        finally:
            written.unlink()
        sync(path.parent)
        return True

    def names(self, prefix: str) -> list[str]:
        """Return file names under a folder, temporary ones left out."""
        folder = self._path(prefix)
        found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        return sorted(str(path.relative_to(self.root)) for path in found)

    def stats(self, prefix: str) -> Mapping[str, FileStat]:
        """Return size and time of files."""
        path = self._path(prefix)
        found = [path] if path.is_file() else [self._path(name) for name in self.names(prefix)]
        return {str(one.relative_to(self.root)): _file_stat(one) for one in found if one.is_file()}

    def delete(self, name: str) -> None:
        """Remove a file."""
        self._path(name).unlink(missing_ok=True)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file for reading."""
        with self._path(name).open("rb") as stream:
            yield stream

    def url(self, name: str) -> str:
        """Return the absolute path."""
        return str(self._path(name))

    def _path(self, name: str) -> Path:
        return Path(self.root) / name

    def _write_beside(self, path: Path, data: bytes | Iterable[bytes]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.parent / f".{path.name}.{uuid4().hex}"
        try:
            with beside.open("xb") as stream:
                stream.writelines([data] if isinstance(data, bytes) else data)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError:  # a full disk should not stay full of what did not fit
            beside.unlink(missing_ok=True)
            raise
        return beside


def _file_stat(path: Path) -> FileStat:
    told = path.stat()
    return FileStat(told.st_size, str(told.st_mtime_ns), datetime.fromtimestamp(told.st_mtime, UTC))


# a rival's request for the same key was under way: nothing landed, and the request is to be sent again
_IN_CONFLICT = ("ConditionalRequestConflict", "OperationAborted", "409")
_CONFLICT_WAITS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 0)


class S3Store:
    """Objects on S3 through s3fs; `put_new` is a PUT with `If-None-Match: *`.

    All raise StoreBusy where the store is away, and MissingPart where it has no such bucket or refuses our keys.
    """

    def __init__(self, settings: Settings, root: str) -> None:
        import s3fs

        scheme = "https" if settings.s3_use_ssl else "http"
        endpoint = f"{scheme}://{settings.s3_endpoint}" if settings.s3_endpoint else None
        self.root = root
        self._settings = settings
        self._files = s3fs.S3FileSystem(
            endpoint_url=endpoint,
            client_kwargs={"region_name": settings.s3_region},
            config_kwargs={"s3": {"addressing_style": "path"}} if endpoint else {},
            use_listings_cache=False,
            skip_instance_cache=True,
        )

    def read(self, name: str) -> bytes:
        """Return an object's bytes."""
        with self._explained(name):
            return bytes(self._files.cat_file(self.url(name)))

    def put(self, name: str, data: bytes) -> None:
        """Put an object; S3 shows it whole or not at all."""
        with self._explained(name):
            self._files.pipe_file(self.url(name), data)

    def put_file(self, name: str, path: Path) -> None:
        """Put a file, a large one in parts that S3 shows when all are there."""
        with self._explained(name):
            self._files.put_file(str(path), self.url(name))

    def put_new(self, name: str, data: bytes) -> bool:
        """Put on condition that the key is new; for small objects, which go in one request.

        Where the answer is no, or there is none, our own request may have landed before: then the object that is
        there is read, and has our bytes. Where there is none after an error, whether it lands is not known.
        """
        with self._explained(name):
            for wait_seconds in _CONFLICT_WAITS:
                try:
                    self._files.pipe_file(self.url(name), data, mode="create")
                except OSError as refused:
                    if _code(refused) in _IN_CONFLICT and wait_seconds:
                        time.sleep(wait_seconds * random.uniform(0.5, 1.5))
                        continue
                    there = self._read_if_there(name)
                    if there is None:
                        raise
                    return there == data
                else:
                    return True
        raise AssertionError  # the last of the waits is none

    def _read_if_there(self, name: str) -> bytes | None:
        try:
            return bytes(self._files.cat_file(self.url(name)))
        except FileNotFoundError:
            return None

    def names(self, prefix: str) -> list[str]:
        """Return keys under a prefix."""
        bucket_path = self.root.removeprefix("s3://")
        with self._explained(prefix):
            found = self._files.find(self.url(prefix))
        return sorted(str(key).removeprefix(bucket_path + "/") for key in found)

    def stats(self, prefix: str) -> Mapping[str, FileStat]:
        """Return size and entity tag of objects, by one listing."""
        bucket_path = self.root.removeprefix("s3://")
        with self._explained(prefix):
            found = self._files.find(self.url(prefix).rstrip("/"), detail=True)
        return {
            str(key).removeprefix(bucket_path + "/"): FileStat(
                int(told["size"]), str(told.get("ETag", "")), told.get("LastModified")
            )
            for key, told in sorted(found.items())
        }

    def delete(self, name: str) -> None:
        """Remove an object."""
        with self._explained(name):
            self._files.rm_file(self.url(name))

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open an object for reading as a stream."""
        with self._explained(name):
            stream = self._files.open(self.url(name), "rb")
        with stream:
            yield stream

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        """Turn what s3fs raises inside into one of our errors; a missing object stays FileNotFoundError."""
        from botocore.exceptions import BotoCoreError

        try:
            yield
        except (OSError, BotoCoreError) as failed:
            code = _code(failed)
            if isinstance(failed, FileNotFoundError) and code != "NoSuchBucket":
                raise
            raise explain_s3(self.url(name), code, str(failed), self._settings) from failed

    def url(self, name: str) -> str:
        """Return the s3:// URL."""
        return f"{self.root}/{name}"


def _code(failed: Exception) -> str:
    """Return S3's own word for what failed, or the exception's name."""
    answer = getattr(failed.__cause__, "response", {}).get("Error", {})
    return str(answer.get("Code", type(failed).__name__))


def open_store(settings: Settings | None = None, root: str | None = None) -> Store:
    """Return the store of the lake, or of another folder or s3:// prefix."""
    settings = settings or load_settings()
    root = root or settings.lake_root
    return S3Store(settings, root) if root.startswith("s3://") else FolderStore(root)
