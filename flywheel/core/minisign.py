"""Sign bytes and check signatures in minisign's format: `minisign -Vm FILE -P KEY` takes ours, and we take its own.

Ed25519 over the BLAKE2b-512 of the bytes; see https://jedisct1.github.io/minisign/ for the format of the files.
"""

import binascii
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from flywheel.core.errors import BadSetting

_ALGORITHM, _HASHED = b"Ed", b"ED"
_NO_PASSWORD = b"\0\0"
_SECRET_BYTES, _PUBLIC_BYTES, _SIGNATURE_BYTES = 158, 42, 74
_COMMENT, _TRUSTED = "untrusted comment: ", "trusted comment: "


@dataclass(frozen=True, slots=True)
class SecretKey:
    """What signs; nothing prints it."""

    key_id: bytes
    _seed: bytes

    def __repr__(self) -> str:
        return f"SecretKey({name_of(self.key_id)})"

    def sign(self, data: bytes, comment: str) -> bytes:
        """Return the signature's file: four lines, the third a comment of one line that is signed as well."""
        private = Ed25519PrivateKey.from_private_bytes(self._seed)
        signature = private.sign(blake2b(data).digest())
        whole = private.sign(signature + comment.encode())
        lines = (
            f"{_COMMENT}signature of flywheel, key {name_of(self.key_id)}",
            b64encode(_HASHED + self.key_id + signature).decode(),
            _TRUSTED + comment,
            b64encode(whole).decode(),
        )
        return "".join(f"{line}\n" for line in lines).encode()


def name_of(key_id: bytes) -> str:
    """Return a key's id as minisign prints it: a hexadecimal number."""
    return f"{int.from_bytes(key_id, 'little'):X}"


def read_secret_key(path: Path) -> SecretKey:
    """Read the key that `minisign -G -W` made: one without a password, for runs that nobody attends.

    Raises:
        BadSetting: there is no such file, or it holds no key that can be used without a password.

    """
    expected = "a secret key made by `minisign -G -W` (without a password; keep the file to yourself)"
    try:
        raw = _decoded(path.read_text().splitlines()[1], _SECRET_BYTES)
    except (OSError, IndexError, ValueError) as unread:
        raise BadSetting("signing_key", str(path), expected) from unread
    key_id, seed, public = raw[54:62], raw[62:94], raw[94:126]
    # minisign leaves the checksum of a key without a password empty; the public half is there to compare with
    derived = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    if raw[:2] != _ALGORITHM or raw[2:4] != _NO_PASSWORD or derived != public:
        raise BadSetting("signing_key", str(path), expected)
    return SecretKey(key_id, seed)


def is_signed_by(public_key: str, data: bytes, signature: bytes) -> bool:
    """Whether a signature's file is this public key's over these bytes, and over its own trusted comment.

    Raises:
        BadSetting: the public key is none.

    """
    try:
        key = _decoded(public_key.strip().splitlines()[-1], _PUBLIC_BYTES)
    except (IndexError, ValueError) as unread:
        expected = "public keys as minisign prints them: 56 characters that begin with RW"
        raise BadSetting("trusted_keys", public_key, expected) from unread
    try:
        _, signed, comment, whole = signature.decode().splitlines()
        raw = _decoded(signed, _SIGNATURE_BYTES)
        whole_raw = b64decode(whole, validate=True)
    except ValueError:
        return False
    if raw[2:10] != key[2:10] or not comment.startswith(_TRUSTED):
        return False
    hashed = {_HASHED: blake2b(data).digest(), _ALGORITHM: data}.get(raw[:2])
    public = Ed25519PublicKey.from_public_bytes(key[10:])
    try:
        if hashed is None:
            return False
        public.verify(raw[10:], hashed)
        public.verify(whole_raw, raw[10:] + comment.removeprefix(_TRUSTED).encode())
    except InvalidSignature:
        return False
    return True


def _decoded(line: str, length: int) -> bytes:
    try:
        raw = b64decode(line, validate=True)
    except binascii.Error as unread:
        raise ValueError(line) from unread
    if len(raw) != length:
        raise ValueError(line)
    return raw
