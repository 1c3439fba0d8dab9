"""Find log files: one file, a folder of them, a glob, or an s3:// prefix; and those among them that are new."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from flywheel.core.errors import UsageError
from flywheel.core.lake import Lake
from flywheel.core.settings import load_settings
from flywheel.core.storage import FileStat, FolderStore, open_store
from flywheel.ingest.containers import PACKED_ENDINGS
from flywheel.ingest.ledger import Known, known_sources
from flywheel.ingest.redaction import redact_place

_PLAIN_ENDINGS = (".jsonl", ".ndjson", ".json", ".log", ".csv", ".tsv", ".parquet", ".eval")
ENDINGS = tuple(plain + packed for plain in _PLAIN_ENDINGS for packed in ("", *PACKED_ENDINGS))
_WILD = "*?["
_BATCH_BYTES = 64 * 1024 * 1024  # of small files that are read by one task
_BATCH_FILES = 200


def find_logs(source: str) -> list[str]:
    """Return the log files of a source, sorted; an object on S3 that is named is not looked for.

    Raises:
        UsageError: there is nothing to read.

    """
    is_object = "://" in source and source.endswith(ENDINGS) and not _is_wild(source)
    return [source] if is_object else list(log_stats(source))


def log_stats(source: str) -> Mapping[str, FileStat]:
    """Return the log files of a source, sorted, with what tells whether they changed.

    Raises:
        UsageError: there is nothing to read.

    """
    found = _objects(source) if "://" in source else _files(source)
    if not found:
        raise UsageError(
            f"No log files at {source!r}. Expected a file, a glob, or a folder with {', '.join(_PLAIN_ENDINGS)}."
        )
    return dict(sorted(found.items()))


def new_logs(lake: Lake, source: str, log_format: str) -> list[list[str]]:
    """Return the files of a source that the ledger does not know as they are, in batches for one task each.

    Raises:
        UsageError: there is nothing to read, new or not.

    """
    found = log_stats(source)
    places = {name: redact_place(name) for name in found}
    known = known_sources(lake, list(places.values()))
    return list(
        _batches(
            {
                name: stat.size_bytes
                for name, stat in found.items()
                if not _is_known(known.get(places[name]), stat, log_format)
            }
        )
    )


def _is_known(known: Known | None, stat: FileStat, log_format: str) -> bool:
    return known is not None and known.is_unchanged(stat) and log_format in ("", known.format)


def _batches(sizes: Mapping[str, int]) -> Iterator[list[str]]:
    """Put small files together."""
    batch: list[str] = []
    total = 0
    for name, size in sizes.items():
        if batch and (total + size > _BATCH_BYTES or len(batch) >= _BATCH_FILES):
            yield batch
            batch, total = [], 0
        batch.append(name)
        total += size
    if batch:
        yield batch


def _is_wild(source: str) -> bool:
    return any(sign in source for sign in _WILD)


def _files(source: str) -> dict[str, FileStat]:
    path = Path(source).expanduser().absolute()
    if path.is_file():
        return _stats_of([path])
    if path.is_dir():
        return _stats_of(_within(path))
    found = Path(path.anchor).glob(str(path.relative_to(path.anchor)))
    return _stats_of([one for named in found for one in _within(named)])


def _within(path: Path) -> Sequence[Path]:
    """Return a file that was named, or the logs in a folder that was named, without what is the lake's own in it."""
    if path.is_file():
        return [path]
    settings = load_settings()
    own = [settings.control_folder] + ([] if settings.on_s3 else [Path(settings.lake_root)])
    inside = [place for place in own if place != path and place.is_relative_to(path.resolve())]
    found = [one for one in path.rglob("*") if one.name.endswith(ENDINGS)]
    return [one for one in found if not any(one.resolve().is_relative_to(place) for place in inside)]


def _stats_of(paths: Sequence[Path]) -> dict[str, FileStat]:
    return {str(path): FolderStore(str(path.parent)).stats(path.name)[path.name] for path in paths if path.is_file()}


def _objects(source: str) -> dict[str, FileStat]:
    """Return objects: the one that is named, those a glob fits, or the logs under a prefix."""
    if source.endswith(ENDINGS) and not _is_wild(source):
        folder, _, name = source.rpartition("/")
        stat = open_store(load_settings(), folder).stats(name).get(name)
        return {} if stat is None else {source: stat}
    root = source.rstrip("/")
    if _is_wild(source):
        root = source[: min(source.index(sign) for sign in _WILD if sign in source)].rpartition("/")[0]
    store = open_store(load_settings(), root)
    found = {store.url(name): stat for name, stat in store.stats("").items()}
    if _is_wild(source):
        return {url: stat for url, stat in found.items() if fnmatchcase(url, source)}
    return {url: stat for url, stat in found.items() if url.endswith(ENDINGS)}
