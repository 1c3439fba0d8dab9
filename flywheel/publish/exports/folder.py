"""A folder that is there whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flywheel.core.errors import UsageError
from flywheel.core.ids import sha256_of


@contextmanager
def whole_folder(out: Path, *, is_forced: bool = False) -> Iterator[Path]:
    """Give a new folder beside `out` to write in; it takes the place of `out` when all went well.

    A folder that holds the same files already is left as it is.

    Raises:
        UsageError: `out` is there, holds something else, and `is_forced` does not allow to replace it.

    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"{str(out)!r} is a file. Pass --out with the name of a folder that is not there yet.")
    out.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield fresh
        fresh.chmod(0o755)  # what mkdtemp makes is for its owner alone
        _place(fresh, out, is_forced)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _place(fresh: Path, out: Path, is_forced: bool) -> None:
    if out.exists():
        if contents(out) == contents(fresh):
            return
        if any(out.iterdir()) and not is_forced:
            raise UsageError(
                f"{str(out)!r} is there and holds something else. Pass --out with another folder, or --force to "
                "replace all of it."
            )
        old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old.", dir=out.parent))
        out.rename(old / out.name)
        fresh.rename(out)
        shutil.rmtree(old)
        return
    fresh.rename(out)


def contents(folder: Path) -> dict[str, str]:
    """Return the hash of each file below a folder."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): sha256_of(path.read_bytes()) for path in files}
