"""Tell a release from one that somebody made in its place: by a pin that was kept elsewhere, or by a signature.

The manifest names the hash of every file, so who knows the manifest's own hash, or who signed it, knows the release.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from flywheel.core.errors import UsageError
from flywheel.core.ids import sha256_of
from flywheel.core.minisign import SecretKey, is_signed_by
from flywheel.core.releases import MANIFEST, Release
from flywheel.core.storage import Store
from flywheel.publish.verify import Proof

SIGNATURE = f"{MANIFEST}.minisig"


@dataclass(frozen=True, slots=True)
class Pin:
    """What a training run writes down of the release it wants, in a file beside its code."""

    dataset: str
    version: int
    content_hash: str
    manifest_sha256: str


def pin_of(store: Store, release: Release) -> Pin:
    """Return the pin of a release as it is now."""
    return Pin(release.dataset, release.version, release.content_hash, sha256_of(_manifest(store, release)))


def pin_body(pin: Pin) -> bytes:
    """Return a pin as the bytes of its file."""
    return orjson.dumps(asdict(pin), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read_pin(path: Path) -> Pin:
    """Read a pin's file.

    Raises:
        UsageError: there is none, or it is no pin.

    """
    try:
        said = orjson.loads(path.read_bytes())
        return Pin(
            str(said["dataset"]), int(said["version"]), str(said["content_hash"]), str(said["manifest_sha256"])
        )
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as unread:
        raise UsageError(
            f"{str(path)!r} is no pin: expected what `flywheel releases pin VERSION` writes."
        ) from unread


def proof_of_pin(store: Store, release: Release, pin: Pin) -> Proof:
    """Return whether a release is the one that was pinned."""
    found = pin_of(store, release)
    differs = [name for name, value in asdict(pin).items() if asdict(found)[name] != value]
    told = ", ".join(f"{name} {asdict(found)[name]}" for name in differs)
    return Proof("it is the release that was pinned", not differs, told or found.manifest_sha256)


def sign_release(store: Store, release: Release, key: SecretKey) -> str:
    """Put a signature of its manifest beside it, once; return the signature's name in the store.

    Raises:
        UsageError: it has a signature that is another's.

    """
    name = f"{release.folder}/{SIGNATURE}"
    # the same key over the same manifest gives the same bytes, so that signing again changes nothing
    signature = key.sign(_manifest(store, release), f"{release.dataset} {release.version} {release.content_hash}")
    if not store.put_new(name, signature) and store.read(name) != signature:
        raise UsageError(
            f"Version {release.version} of {release.dataset!r} has a signature already, by another key: {name}. "
            "Publish a version of your own, or delete that file if it should not be there."
        )
    return name


def proof_of_signature(store: Store, release: Release, trusted_keys: tuple[str, ...]) -> Proof:
    """Return whether one of these keys signed the manifest as it is."""
    check = "a trusted key signed its manifest"
    try:
        signature = store.read(f"{release.folder}/{SIGNATURE}")
    except FileNotFoundError:
        return Proof(check, False, "no signature")
    manifest = _manifest(store, release)
    signer = next((key for key in trusted_keys if is_signed_by(key, manifest, signature)), None)
    return Proof(check, signer is not None, signer or "a signature of no trusted key, or of another manifest")


def proofs_of_origin(store: Store, release: Release, pin: Pin | None, trusted_keys: tuple[str, ...]) -> list[Proof]:
    """Return the proofs that were asked for: of a pin, of a signature, of both or none."""
    proofs = [proof_of_pin(store, release, pin)] if pin else []
    return proofs + ([proof_of_signature(store, release, trusted_keys)] if trusted_keys else [])


def _manifest(store: Store, release: Release) -> bytes:
    return store.read(f"{release.folder}/{MANIFEST}")
