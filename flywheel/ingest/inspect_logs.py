"""Inspect's eval logs: a zip of JSON, one document per sample, packed with deflate or zstd."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

import numpy as np
import orjson
import pyarrow as pa

from flywheel.ingest.blocks import (
    BLOCK_BYTES,
    LONGEST_RECORD_BYTES,
    RAW_BYTES,
    Block,
    Place,
    RefusedLine,
    shown,
    text_array,
)
from flywheel.ingest.streams import ZstdStream

_ZSTD = 93  # of the zip format's compression methods; Python 3.11 does not know it
_HEADERS = ("header.json", "_journal/start.json")  # the second where the evaluation did not end
_LOCAL_HEADER_BYTES = 30
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, struct.error)


def inspect_blocks(file: IO[bytes]) -> Iterator[Block]:
    """Yield `{"eval": ..., "sample": ...}` per sample; `source_line` is the sample's number in the archive.

    Raises:
        ZIP_ERRORS: the archive is damaged.

    """
    archive = zipfile.ZipFile(file)
    samples = [one for one in archive.infolist() if one.filename.startswith("samples/") and one.file_size]
    evaluation = _evaluation(archive, file)
    pieces: list[bytes] = []
    numbers: list[int] = []
    refused: list[RefusedLine] = []
    for number, member in enumerate(samples, start=1):
        text, problem = _sample(archive, file, member)
        if problem is None:
            pieces.append(b'{"eval":' + evaluation + b',"sample":' + text + b"}")
            numbers.append(number)
        else:
            reason, detail = problem
            refused.append(
                RefusedLine(number, member.header_offset, reason, f"{member.filename}: {detail}", shown(text))
            )
        if sum(map(len, pieces)) >= BLOCK_BYTES:
            yield _block(pieces, numbers, refused, number)
            pieces, numbers, refused = [], [], []
    if pieces or refused:
        yield _block(pieces, numbers, refused, len(samples))


def _block(pieces: list[bytes], numbers: list[int], refused: list[RefusedLine], number: int) -> Block:
    return Block(text_array(pieces), np.array(numbers, np.int64), None, Place(number, number), tuple(refused))


def _evaluation(archive: zipfile.ZipFile, file: IO[bytes]) -> bytes:
    """Return what the archive says about the evaluation: task, model, when and with what."""
    names = archive.namelist()
    for name in _HEADERS:
        if name in names:
            header = orjson.loads(_read(archive, file, archive.getinfo(name)))
            return orjson.dumps(header.get("eval") if isinstance(header, dict) else None)
    return b"null"


def _sample(
    archive: zipfile.ZipFile, file: IO[bytes], member: zipfile.ZipInfo
) -> tuple[bytes, tuple[str, str] | None]:
    """Return a sample's document, or its beginning and why it cannot be read."""
    try:
        text = _read(archive, file, member)
    except ZIP_ERRORS as broken:
        return b"", ("broken_compression", str(broken))
    if len(text) > LONGEST_RECORD_BYTES:
        return text[:RAW_BYTES], ("line_too_long", f"the limit is {LONGEST_RECORD_BYTES} bytes")
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as broken:
        return text[:RAW_BYTES], ("invalid_json", str(broken))
    return text, None


def _read(archive: zipfile.ZipFile, file: IO[bytes], member: zipfile.ZipInfo) -> bytes:
    """Return a member's bytes, up to just over the limit, whatever its header claims."""
    if member.compress_type != _ZSTD:
        with archive.open(member) as opened:
            return opened.read(LONGEST_RECORD_BYTES + 1)
    file.seek(member.header_offset)
    name_length, extra_length = struct.unpack("<HH", file.read(_LOCAL_HEADER_BYTES)[26:30])
    file.seek(name_length + extra_length, 1)
    packed = file.read(min(member.compress_size, LONGEST_RECORD_BYTES))
    stream = ZstdStream(pa.BufferReader(packed))
    text = stream.read(LONGEST_RECORD_BYTES + 1)
    if stream.damage:
        raise zipfile.BadZipFile(stream.damage)
    return text
