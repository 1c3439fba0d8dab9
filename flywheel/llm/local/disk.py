"""Files that are either the old ones or the new ones, never halves."""

import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4


def write_atomic(path: Path, content: bytes) -> None:
    """Write bytes so that a reader, or a restart after a crash, sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid4().hex}.draft")
    with draft.open("wb") as sink:
        sink.write(content)
        sink.flush()
        os.fsync(sink.fileno())
    draft.replace(path)


def write_json(path: Path, row: dict[str, Any]) -> None:
    """Write one JSON object atomically."""
    write_atomic(path, json.dumps(row, indent=1).encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read one JSON object."""
    row: dict[str, Any] = json.loads(path.read_bytes())
    return row
