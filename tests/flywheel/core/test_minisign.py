"""Signatures in minisign's format: ours and those of minisign itself are each taken by the other."""

import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from flywheel.core.errors import BadSetting
from flywheel.core.minisign import SecretKey, is_signed_by, name_of, read_secret_key

# two public keys of minisign 0.11, and the signatures that the first one's secret half gave b"hello\n": new and old
PUBLIC = "RWS9vy/UEiogCWzUCuIo6QK8TkxUakoB1pgXICaVzkdeiT38Ku3Xmh+9"
OTHER = "RWSZT6x5Vf6y46TO9z76k3ioYS2XaMk9clMjSGNlZTx/fWu5OW1euCdT"
ITS_SIGNATURE = b"""untrusted comment: signature from minisign secret key
RUS9vy/UEiogCdTlgRRGA8yOJC+sFoTzLTg9P4ZP8yhzHaKKn41N4Kgy5P2KvAwtLfteVJunX/Qe/NXHQ2B4A1+sCBnWnwZiuwg=
trusted comment: timestamp:1795865870	file:m	hashed
VhMGWWcDqCTjqf93EE96cHLplC2+DUYXcyu9s4M+NLwJgpqVWfyjK8OmPclM8CUXYCfoWZgY/uZ4zVyXJfKNDA==
"""
LEGACY = b"""untrusted comment: signature from minisign secret key
RWS9vy/UEiogCTBg9BkKHSu+8Df+/AN/RYG3r4hWv5m4FCDHcuP/MW5zUHPW5ix4EWuTJsU61Uobw7HUuRkTxNGWRmP40otD6AE=
trusted comment: timestamp:1795865870	file:m
k66mq9fGjhGizM/AodFRSL8xlvF+OT6rYxY9P5I4SCfGUceIsdzy/SQqEP8je0Oetd+av+k0PSp16+bicJd+DA==
"""


@dataclass(frozen=True)
class Pair:
    """A new key: the file of its secret half, as minisign writes it, and its public half."""

    file: Path
    public: str


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    private = Ed25519PrivateKey.generate()
    seed, public, key_id = private.private_bytes_raw(), private.public_key().public_bytes_raw(), b"\1\2\3\4\5\6\7\0"
    raw = b"Ed" + b"\0\0" + b"B2" + bytes(48) + key_id + seed + public + bytes(32)
    (tmp_path / "key").write_text(f"untrusted comment: minisign encrypted secret key\n{b64encode(raw).decode()}\n")
    return Pair(tmp_path / "key", b64encode(b"Ed" + key_id + public).decode())


@pytest.fixture
def key(pair: Pair) -> SecretKey:
    return read_secret_key(pair.file)


def test_what_minisign_signed_is_taken() -> None:
    for signature in (ITS_SIGNATURE, LEGACY):
        assert is_signed_by(PUBLIC, b"hello\n", signature)
        assert not is_signed_by(PUBLIC, b"hello", signature)
        assert not is_signed_by(OTHER, b"hello\n", signature)


def test_what_we_sign_is_taken_again(key: SecretKey, pair: Pair) -> None:
    signature = key.sign(b"data", "corrections 1")
    assert signature == key.sign(b"data", "corrections 1")
    assert is_signed_by(pair.public, b"data", signature)
    assert is_signed_by(f"untrusted comment: minisign public key\n{pair.public}\n", b"data", signature)
    assert not is_signed_by(pair.public, b"date", signature)
    assert not is_signed_by(PUBLIC, b"data", signature)


@pytest.mark.parametrize(
    "forge",
    [
        lambda text: text.replace(b"corrections 1", b"corrections 2"),  # the comment is signed as well
        lambda text: text.replace(b"trusted comment: c", b"other comment: c"),
        lambda text: text.replace(b"\n", b"", 1),
        lambda text: text[:-8],
        lambda _text: b"",
        lambda text: b"\xff" + text,
        lambda text: b"\n".join([*text.split(b"\n")[:1], b"!" * 100, *text.split(b"\n")[2:]]),
    ],
)
def test_a_signature_that_was_touched_is_none(key: SecretKey, pair: Pair, forge: Callable[[bytes], bytes]) -> None:
    signature = key.sign(b"data", "corrections 1")
    assert forge(signature) != signature
    assert not is_signed_by(pair.public, b"data", forge(signature))


@pytest.mark.parametrize("said", ["", "RW", PUBLIC[:-4], "not base64 at all"])
def test_a_public_key_that_is_none(key: SecretKey, said: str) -> None:
    with pytest.raises(BadSetting, match="trusted_keys"):
        is_signed_by(said, b"data", key.sign(b"data", "x"))


def test_a_secret_key_that_is_none(pair: Pair) -> None:
    comment, body = pair.file.read_text().splitlines()
    with_password = b64encode(b"EdSc" + b64decode(body)[4:]).decode()
    for text in (
        "",
        comment,
        f"{comment}\n{body[:-8]}",
        f"{comment}\n{body[:140]}AAAA{body[144:]}",
        f"{comment}\n{with_password}",
    ):
        pair.file.write_text(text)
        with pytest.raises(BadSetting, match="minisign -G -W"):
            read_secret_key(pair.file)
    with pytest.raises(BadSetting, match="nowhere"):
        read_secret_key(pair.file.with_name("nowhere"))


def test_nothing_shows_the_secret(key: SecretKey) -> None:
    assert repr(key) == "SecretKey(7060504030201)"


def test_minisign_and_we_take_each_others(tmp_path: Path) -> None:
    if shutil.which("minisign") is None:
        pytest.skip("minisign is not installed (Debian: apt-get install minisign)")

    def minisign(*options: str) -> str:
        return subprocess.run(["minisign", *options], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    minisign("-G", "-W", "-p", "public", "-s", "secret")
    public = (tmp_path / "public").read_text()
    key = read_secret_key(tmp_path / "secret")
    (tmp_path / "m").write_bytes(b"{}")
    (tmp_path / "m.minisig").write_bytes(key.sign(b"{}", "corrections 1 abc"))
    assert "Trusted comment: corrections 1 abc" in minisign("-Vm", "m", "-p", "public")
    assert name_of(key.key_id) in public
    minisign("-S", "-s", "secret", "-m", "m", "-x", "its")
    assert is_signed_by(public, b"{}", (tmp_path / "its").read_bytes())
