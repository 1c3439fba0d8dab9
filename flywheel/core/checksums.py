"""What the lake's files hashed to when they were first seen: DuckLake keeps no checksums, and its files never change.

Each check that saw files for the first time adds one object under checksums/ that holds only those.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime

import orjson

from flywheel.core.ids import sha256_of
from flywheel.core.storage import Store

FOLDER = "checksums"
_CHUNK_BYTES = 1 << 20


def known_checksums(store: Store) -> tuple[dict[str, str], list[str]]:
    """Return the sha256 of every file that was seen before, by name, and the records that cannot be read.

    Where two records differ the older one counts.
    """
    found: dict[str, str] = {}
    broken = []
    for record in store.names(FOLDER):
        try:
            files = orjson.loads(store.read(record))["files"]
            found = {**{str(name): str(value) for name, value in files.items()}, **found}
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            broken.append(record)
    return found, broken


def record_checksums(store: Store, fresh: Mapping[str, str], now: datetime) -> str | None:
    """Add a record of files seen for the first time; return its name, or None where there are none."""
    if not fresh:
        return None
    body = orjson.dumps({"files": fresh}, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)
    name = f"{FOLDER}/{now:%Y%m%dT%H%M%S%f}-{sha256_of(body)[:12]}.json"
    store.put_new(name, body)
    return name


def sha256_of_object(store: Store, name: str) -> str:
    """Return the sha256 of an object without holding it in memory; FileNotFoundError where there is none."""
    digest = hashlib.sha256()
    with store.open(name) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
