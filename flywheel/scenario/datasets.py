"""Public data sets that demos and tests run on: where they come from, how to get them, how to read them.

Nothing is copied into this project. A set is found in a folder of yours, or in the cache after `fetch`
downloaded it from its pinned commit and checked its sha256.
"""

import csv
import gzip
import hashlib
import http.client
import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, TextIO, TypeAlias, cast

from flywheel.core.errors import CorruptObject, MissingPart, UnknownDataset
from flywheel.scenario.query import Query

RAW = "https://raw.githubusercontent.com"
TIMEOUT_SECONDS = 30.0
_CHUNK_BYTES = 1 << 16

Opener: TypeAlias = Callable[[str, float], AbstractContextManager[IO[bytes]]]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """Hold where one file of a set comes from and what it has to be; `path` is the path in the repository."""

    path: str
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """Return the file's own name, which it also has in a folder or the cache."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class PublicSet:
    """Hold one public data set: a repository at a fixed commit, its licence, and the files we use."""

    about: str
    repo: str
    commit: str
    licence: str
    files: tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Hold the folder where a set's files lie, and whether that is the caller's folder or the cache."""

    path: Path
    origin: Literal["folder", "cache"]


SETS = {
    "banking77": PublicSet(
        about="10,003 + 3,080 bank customer queries, 77 intents (Casanueva et al. 2020, arXiv 2003.04807)",
        repo="PolyAI-LDN/task-specific-datasets",
        commit="57ec275d8078af65b7731c2a98be812d844a6d6b",
        licence="CC-BY-4.0",
        files=(
            SourceFile(
                "banking_data/train.csv",
                839073,
                "b06e26ac675513959a63135f11b94ea7786ed02da65db93a5650d8838cbc664b",
            ),
            SourceFile(
                "banking_data/test.csv",
                239961,
                "d12d6e3bc4c3103966ae786dc435913c0c563dfa328f5a3646d0e62cfeeb474d",
            ),
            SourceFile("LICENSE", 18650, "7e7170e3cebf88a9f60c7b8421418323c09304da1af4d5e90f4da1dc1c8a2661"),
        ),
    ),
    "gsm8k": PublicSet(
        about="1,319 word problems, four models' published solutions (Cobbe et al. 2021, arXiv 2110.14168)",
        repo="openai/grade-school-math",
        commit="3101c7d5072418e28b9008a6636bde82a006892c",
        licence="MIT",
        files=(
            SourceFile(
                "grade_school_math/data/example_model_solutions.jsonl",
                2563513,
                "4bc62db838f8418365d51c627bd66294cbdca9fb7f01519cb13f0dce8c51580b",
            ),
            SourceFile(
                "grade_school_math/data/test.jsonl",
                749738,
                "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14",
            ),
            SourceFile("LICENSE", 1062, "86bbb73e855821d7c401912fd4bf82e34313e6e3b6fd6f909f2b6cc9e209a53b"),
        ),
    ),
}


def find(name: str, folder: Path | None, cache: Path) -> Found | None:
    """Return where all files of a set lie, or None: `folder`/`name` first, then `cache`/`name`.

    A file may lie there as `<file>.gz`. Raises UnknownDataset for a name not in SETS.
    """
    wanted = _set(name)
    places: list[Found] = [Found(folder / name, "folder")] if folder else []
    for place in [*places, Found(cache / name, "cache")]:
        if all(_on_disk(place.path / source.name) for source in wanted.files):
            return place
    return None


def open_url(url: str, timeout_seconds: float) -> AbstractContextManager[IO[bytes]]:
    """Open a web address with the standard library; raises OSError if that fails."""
    if not url.startswith(("https://", "http://")):
        raise OSError(f"{url!r} is not a web address")
    return cast(
        AbstractContextManager[IO[bytes]],
        urllib.request.urlopen(url, timeout=timeout_seconds),  # noqa: S310 - the scheme is checked above
    )


def fetch(name: str, cache: Path, opener: Opener = open_url, base_url: str = RAW) -> Found:
    """Download a set into `cache`/`name` and return where it lies; files that are there and right stay.

    A file appears only after its sha256 was checked. Raises UnknownDataset, MissingPart when the network
    does not give it, CorruptObject when its bytes are not the recorded ones.
    """
    wanted = _set(name)
    target = cache / name
    target.mkdir(parents=True, exist_ok=True)
    for source in wanted.files:
        path = target / source.name
        if path.is_file() and _sha256(path.read_bytes()) == source.sha256:
            continue
        url = f"{base_url}/{wanted.repo}/{wanted.commit}/{source.path}"
        _put(path, _checked(_download(name, url, source, opener), url, source))
    return Found(target, "cache")


def load_banking77(path: Path) -> tuple[list[Query], list[Query]]:
    """Return the train and the test queries from the folder `find` or `fetch` gave."""
    return _banking77_file(path / "train.csv"), _banking77_file(path / "test.csv")


def load_gsm8k_solutions(path: Path) -> Iterator[dict[str, object]]:
    """Yield {question, ground_truth, <model>: {is_correct, solution}, ...} per problem of the set."""
    with _open_text(path / "example_model_solutions.jsonl") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def _set(name: str) -> PublicSet:
    if name not in SETS:
        raise UnknownDataset(name, SETS)
    return SETS[name]


def _on_disk(path: Path) -> Path | None:
    packed = path.with_name(path.name + ".gz")
    return next((place for place in (path, packed) if place.is_file()), None)


def _open_text(path: Path) -> TextIO:
    place = _on_disk(path)
    if place is None:
        raise MissingPart(f"The file {str(path)!r}", "`flywheel data fetch` downloads the public data sets.")
    if place.suffix == ".gz":
        return cast(TextIO, gzip.open(place, "rt", encoding="utf-8", newline=""))
    return place.open(encoding="utf-8", newline="")


def _banking77_file(path: Path) -> list[Query]:
    with _open_text(path) as file:
        return [Query(row["text"].strip(), row["category"]) for row in csv.DictReader(file)]


def _download(name: str, url: str, source: SourceFile, opener: Opener) -> bytes:
    """Read at most one byte more than the file has, whatever the other side sends."""
    body = bytearray()
    try:
        with opener(url, TIMEOUT_SECONDS) as reply:
            while len(body) <= source.bytes and (chunk := reply.read(_CHUNK_BYTES)):
                body += chunk
    except (OSError, http.client.HTTPException) as trouble:
        raise MissingPart(
            f"Data set {name!r} ({url}: {trouble})",
            f"Download it where there is a network, put {', '.join(file.name for file in SETS[name].files)} "
            f"in a folder {name!r} and set FLYWHEEL_DATA to the folder above it; "
            "or use the built-in scenario, which needs no data.",
        ) from trouble
    return bytes(body[: source.bytes + 1])


def _checked(body: bytes, url: str, source: SourceFile) -> bytes:
    if _sha256(body) != source.sha256:
        raise CorruptObject(url, _sha256(body), source.sha256)
    return body


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _put(path: Path, body: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    unfinished.write_bytes(body)
    unfinished.replace(path)
