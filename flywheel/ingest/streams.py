"""Streams of bytes, unpacked as they are read: what a compressed log holds never has to fit into memory."""

import zlib
from typing import IO, Any

import pyarrow as pa

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_PACKED_BYTES = 64 * 1024  # read from disk at once
_GZIP_HEADER = 16 + zlib.MAX_WBITS


def compression_of(beginning: bytes) -> str:
    """Return what a file that begins like this was packed with, or nothing."""
    if beginning.startswith(_GZIP):
        return "gzip"
    return "zstd" if beginning.startswith(_ZSTD) else ""


class PlainStream:
    """A file's bytes as they are."""

    damage = ""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        """Return at most so many bytes, none at the end."""
        return self._file.read(size)

    def jump(self, offset: int) -> None:
        """Go to a byte."""
        self._file.seek(offset)


class GzipStream:
    """What gzip packed, one member or several; bytes before a damage are all delivered."""

    def __init__(self, file: IO[bytes]) -> None:
        self.damage = ""
        self._file = file
        self._packed = b""
        self._unpacker = zlib.decompressobj(_GZIP_HEADER)
        self._is_within = False  # a member that has begun and not ended

    def read(self, size: int) -> bytes:
        """Return at most so many bytes, none at the end or where the rest is damaged."""
        parts, left = [], size
        while left and not self.damage and self._fill():
            before = self._unpacker.copy()
            try:
                part = self._unpacker.decompress(self._packed, left)
            except zlib.error as broken:
                self.damage = str(broken)
                parts.append(_sound_part(before, self._packed, left))
                break
            self._packed, self._is_within = self._unpacker.unconsumed_tail, True
            parts.append(part)
            left -= len(part)
            if self._unpacker.eof:
                self._next_member()
        return b"".join(parts)

    def _fill(self) -> bool:
        """Have something packed at hand; False at the end of the file, which is a damage inside a member."""
        self._packed = self._packed or self._file.read(_PACKED_BYTES)
        if not self._packed and self._is_within:
            rest = self._unpacker.flush(1)
            self.damage = "" if rest else "the file ends inside of it"
        return bool(self._packed)

    def _next_member(self) -> None:
        self._packed = self._unpacker.unused_data.lstrip(b"\0")  # tape padding
        self._unpacker = zlib.decompressobj(_GZIP_HEADER)
        self._is_within = False


def _sound_part(unpacker: Any, packed: bytes, size: int) -> bytes:
    """Return what comes out before the damage, which lies somewhere in what is packed here."""
    found = bytearray()
    for at in range(len(packed)):
        try:
            found += unpacker.decompress(packed[at : at + 1])
        except zlib.error:
            break
    return bytes(found[:size])


class _Lent:
    """A file that Arrow may read but not close."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self.read = file.read

    def close(self) -> None:
        """Leave that to the owner."""


class ZstdStream:
    """What zstd packed. Arrow loses what it unpacked in a read that fails, so that one is repeated in small steps."""

    def __init__(self, file: IO[bytes]) -> None:
        self.damage = ""
        self._file = file
        self._position = 0
        self._unpacked = self._begin()

    def read(self, size: int) -> bytes:
        """Return at most so many bytes, none at the end or where the rest is damaged."""
        if self.damage:
            return b""
        try:
            found = self._unpacked.read(size)
        except (OSError, pa.ArrowInvalid) as broken:
            self.damage = str(broken)
            return self._rest(size)
        self._position += len(found)
        return bytes(found)

    def _begin(self) -> Any:
        self._file.seek(0)
        return pa.CompressedInputStream(pa.PythonFile(_Lent(self._file), mode="r"), "zstd")

    def _rest(self, size: int) -> bytes:
        """Return what can be read of a damaged stream before its damage, byte by byte."""
        stream, left = self._begin(), self._position
        while left:
            left -= len(stream.read(min(left, _PACKED_BYTES)))
        found = bytearray()
        try:
            while len(found) < size and (byte := stream.read(1)):
                found += byte
        except (OSError, pa.ArrowInvalid):
            pass
        return bytes(found)


def unpacked(file: IO[bytes], compression: str) -> PlainStream | GzipStream | ZstdStream:
    """Return the stream of what a file holds, from its first byte."""
    file.seek(0)
    if compression == "gzip":
        return GzipStream(file)
    return ZstdStream(file) if compression == "zstd" else PlainStream(file)
