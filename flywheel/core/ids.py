"""Identities that come from content, so that the same thing met twice has one name."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

_ID_BYTES = 16  # 128 bits: collisions are out of reach for any log we will see


def content_id(*parts: object) -> str:
    """Return 32 hex characters that depend on the parts, their order and their boundaries."""
    digest = hashlib.blake2b(digest_size=_ID_BYTES)
    for part in parts:
        encoded = str(part).encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()


def tombstone_of(subject_id: str) -> str:
    """Return the hash that `forgotten` holds in the place of an id: nobody is named by it."""
    return content_id("forgotten", subject_id)


def sha256_of(data: bytes) -> str:
    """Return the hex sha256 that manifests record for a file."""
    return hashlib.sha256(data).hexdigest()


def rows_hash(rows: Iterable[dict[str, Any]]) -> str:
    """Return one sha256 for rows given in a fixed order, independent of file format and compression."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(row, sort_keys=True, ensure_ascii=False, default=str).encode())
        digest.update(b"\n")
    return digest.hexdigest()
