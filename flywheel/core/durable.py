"""See to it that rows have reached the disk before the catalog says that they are there.

SQLite syncs its own files, DuckDB none of those it writes: after a power loss a catalog could name empty ones.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flywheel.core.settings import Settings


@contextmanager
def synced(settings: Settings | None, *tables: str) -> Iterator[None]:
    """Sync the files that are written inside, with their folders; of these tables, or of any where none is named.

    What is on S3 is there when the store says so, and needs nothing.
    """
    if settings is None or settings.on_s3:
        yield
        return
    root = Path(settings.lake_root) / "tables" / "main"
    folders = [root / table for table in tables if table] or [root]
    before = set(_files(folders))
    yield
    written = [path for path in _files(folders) if path not in before]
    for path in written:
        with suppress(FileNotFoundError):  # a rival's, who took it back
            sync(path)
    for folder in sorted({parent for path in written for parent in path.parents if parent.is_relative_to(root)}):
        sync(folder)


def _files(folders: list[Path]) -> Iterator[Path]:
    for top in folders:
        for folder, _, names in os.walk(top):
            yield from (Path(folder, name) for name in names)


def sync(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
