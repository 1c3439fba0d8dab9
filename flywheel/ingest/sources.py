"""Find log files: one file, a folder of them, or an s3:// prefix."""

from pathlib import Path

from flywheel.core.errors import UsageError
from flywheel.core.settings import load_settings
from flywheel.core.storage import open_store

_ENDINGS = (".jsonl", ".ndjson", ".json", ".log")


def find_logs(source: str) -> list[str]:
    """Return the log files of a source, sorted.

    Raises:
        UsageError: there is nothing to read.

    """
    if "://" in source:
        names = [source] if source.endswith(_ENDINGS) else _under_prefix(source)
    else:
        path = Path(source).expanduser()
        names = [str(path)] if path.is_file() else _under_folder(path)
    if not names:
        raise UsageError(f"No log files at {source!r}. Expected a file, or a folder with *.jsonl files.")
    return names


def _under_folder(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*") if path.suffix in _ENDINGS and path.is_file())


def _under_prefix(prefix: str) -> list[str]:
    root = prefix.rstrip("/")
    store = open_store(load_settings(), root)
    return [store.url(name) for name in store.names("") if name.endswith(_ENDINGS)]
