"""Manifests, claims and tags: small objects in JSON that only we write, whatever may have happened to them since."""

from typing import Any

import orjson

from flywheel.core.errors import DataError
from flywheel.core.storage import Store


def read_json(store: Store, name: str, *keys: str) -> dict[str, Any]:
    """Return a small object that one of us wrote as JSON, with at least these keys.

    Raises:
        FileNotFoundError: there is none.
        DataError: it is something else now.

    """
    data = store.read(name)
    try:
        said = orjson.loads(data)
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, dict) or not said.keys() >= set(keys):
        raise DataError(
            f"{store.url(name)} holds {data[:40]!r} ({len(data)} bytes); expected JSON with {', '.join(keys)}. "
            "Restore it from a copy; `flywheel lake check` lists all that is broken."
        )
    return said
