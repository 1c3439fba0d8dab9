"""A release on S3 is read with no code of ours, and two publishers never make two versions of one number."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from threading import Barrier
from typing import Any

import duckdb
import orjson
import polars as pl
import pytest
import s3fs

from flows.cli.example import example_answers
from flywheel.core.errors import VersionTaken
from flywheel.core.lake import Lake
from flywheel.core.releases import Release, find_release, list_releases, publish_files
from flywheel.core.settings import Settings
from flywheel.core.storage import Store, open_store
from flywheel.core.tags import move_tag, tags
from flywheel.publish.day import publish_day

pytestmark = [pytest.mark.team, pytest.mark.xdist_group("team")]

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def corrections() -> list[dict[str, Any]]:
    """Return what people said about the support desk of `flywheel init --example`, accepted."""
    return [
        {
            "day": DAY,
            "correction_id": f"c{number:03}",
            "answer_id": f"c{number:03}",
            "input": orjson.dumps([{"role": "user", "content": answer["input"]}]).decode(),
            "query": answer["input"],
            "rejected": answer["rejected"],
            "chosen": answer["chosen"],
            "author_kind": "human",
            "author_id": answer["author"],
            "agreement": 1.0,
            "depth": 0,
            "cost_usd": 0.5,
        }
        for number, answer in enumerate(example_answers())
    ]


@pytest.fixture
def store(s3_settings: Settings) -> Store:
    return open_store(s3_settings)


@pytest.fixture
def release(s3_settings: Settings, store: Store) -> Release:
    with Lake.open(s3_settings) as lake:
        lake.land("corrections", lake.typed("corrections", corrections()))
        published = publish_day(lake, store, s3_settings, DAY, NOON)
        assert isinstance(published, Release), published
        assert publish_day(lake, store, s3_settings, DAY, NOON) == published
    return published


def test_release_is_read_without_our_code(release: Release, s3_settings: Settings, store: Store, s3: Any) -> None:
    train = store.url(f"{release.folder}/train.parquet")
    expected = release.manifest["rows"]["train"]
    assert expected > 10
    login = {"aws_access_key_id": s3.key_id, "aws_secret_access_key": s3.secret, "aws_region": "us-east-1"}
    by_polars = pl.read_parquet(train, storage_options=login | {"aws_endpoint_url": s3.url, "aws_allow_http": "true"})
    assert by_polars.height == expected
    with duckdb.connect() as plain:
        plain.execute("load httpfs")
        plain.execute(
            f"create secret (type s3, key_id '{s3.key_id}', secret '{s3.secret}', region 'us-east-1', "
            f"endpoint '{s3.endpoint}', url_style 'path', use_ssl false)"
        )
        counted = plain.execute("select count(*), count(chosen) from read_parquet($url)", {"url": train}).fetchone()
        assert counted == (expected, expected)
    files = s3fs.S3FileSystem(key=s3.key_id, secret=s3.secret, endpoint_url=s3.url)
    assert pl.read_parquet(io.BytesIO(files.cat_file(train))).equals(by_polars)
    first = orjson.loads(files.cat_file(store.url(f"{release.folder}/exports/openai-sft.jsonl")).splitlines()[0])
    assert [message["role"] for message in first["messages"]][-1] == "assistant"
    assert orjson.loads(files.cat_file(store.url(f"{release.folder}/manifest.json"))) == release.manifest


def test_tags_move_and_name_versions(store: Store) -> None:
    for number in (1, 2):
        publish_files(store, "corrections", {"train.txt": b"%d" % number}, {"content_hash": f"h{number}"}, NOON)
    move_tag(store, "corrections", "prod-2026-11", 1, NOON)
    assert tags(store, "corrections") == {"latest": 2, "prod-2026-11": 1}
    move_tag(store, "corrections", "prod-2026-11", 2, NOON)
    move_tag(store, "corrections", "prod-2026-11", 2, NOON)
    assert find_release(store, "corrections", "prod-2026-11").version == 2
    assert len(store.names("tags/corrections/prod-2026-11")) == 2


def test_racing_publishers_make_distinct_versions(store: Store) -> None:
    barrier = Barrier(6)

    def publish(number: int) -> int | None:
        facts = {"content_hash": f"h{number}"}
        barrier.wait(timeout=30)
        try:
            return publish_files(store, "corrections", {"train.txt": b"%d" % number}, facts, NOON).version
        except VersionTaken:
            return None

    with ThreadPoolExecutor(6) as pool:
        won = [version for version in pool.map(publish, range(6)) if version is not None]
    assert sorted(won) == list(range(1, len(won) + 1))
    released = list_releases(store, "corrections")
    assert [release.version for release in released] == sorted(won)
    for release in released:
        assert f"h{store.read(f'{release.folder}/train.txt').decode()}" == release.content_hash
