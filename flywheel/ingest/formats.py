"""Tell log formats apart by the keys of a record; each format is one file under sql/ingest/."""

import orjson

from flywheel.core.errors import UnknownFormat
from flywheel.core.queries import find_query, load_folder

# keys that all records of a format have
_MARKS = {"openai": frozenset({"request"})}


def detect_format(source: str, record: str) -> str:
    """Return the format whose keys a record has.

    Raises:
        UnknownFormat: none fits.

    """
    keys = set(orjson.loads(record))
    for name, marks in _MARKS.items():
        if marks <= keys:
            return name
    raise UnknownFormat(source, load_folder("ingest"))


def format_query(name: str) -> str:
    """Return the query from `log_lines` to the columns of raw_traces."""
    return find_query("ingest", name)
