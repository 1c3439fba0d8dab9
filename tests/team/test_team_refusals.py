"""What a server refuses becomes one of our errors: with the place and what to do, without a password or a key."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flywheel.core.errors import BadSetting, FlywheelError, MissingPart, StoreBusy
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings
from flywheel.core.storage import open_store

pytestmark = [pytest.mark.team, pytest.mark.xdist_group("team")]
UseKeys = Callable[[str, str], None]

WRONG = "hunter2-wrong"


def write_rows(settings: Settings) -> None:
    with Lake.open(settings) as lake, lake.transaction("test") as cursor:
        cursor.execute("insert into spend (day, call_id) select '2026-01-01'::date, i from range(1000) as t(i)")


def told(expected: type[FlywheelError], call: Callable[[], object], *secrets: str) -> str:
    """Return the message of the error that a call must raise; neither it nor its traceback may hold a secret."""
    with pytest.raises(expected) as raised:
        call()
    shown = "".join(traceback.format_exception(raised.value))
    assert [secret for secret in secrets if secret in shown] == []
    return str(raised.value)


@pytest.mark.parametrize("wrong", ["secret", "key"])
def test_wrong_keys(s3: Any, s3_settings: Settings, use_keys: UseKeys, wrong: str) -> None:
    key_id, secret = (s3.key_id, WRONG) if wrong == "secret" else ("AKWRONG", s3.secret)
    use_keys(key_id, secret)
    store = open_store(s3_settings)
    calls: list[Callable[[], object]] = [
        lambda: write_rows(s3_settings),
        lambda: store.put("x", b""),
        lambda: store.put_new("x", b""),
        lambda: store.read("x"),
        lambda: store.names("x"),
        lambda: store.delete("x"),
        lambda: store.open("x").__enter__(),
    ]
    for call in calls:
        message = told(MissingPart, call, key_id, secret)
        assert s3.endpoint in message
        assert "Set AWS_ACCESS_KEY_ID" in message


def test_no_keys_at_all(s3_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "Set AWS_ACCESS_KEY_ID" in told(MissingPart, lambda: Lake.open(s3_settings))
    assert "Set AWS_ACCESS_KEY_ID" in told(MissingPart, lambda: open_store(s3_settings).read("x"))


def test_unknown_bucket(s3: Any, s3_settings: Settings) -> None:
    settings = s3_settings.model_copy(update={"lake": "s3://nowhere/lake"})
    store = open_store(settings)
    calls: list[Callable[[], object]] = [
        lambda: write_rows(settings),
        lambda: store.put_new("x", b""),
        lambda: store.names("x"),
    ]
    for call in calls:
        message = told(MissingPart, call, s3.key_id, s3.secret)
        assert "The bucket of 's3://nowhere/lake" in message
        assert f"at {s3.endpoint} is not available. Create it" in message


def test_s3_that_is_away(tmp_path: Path, use_keys: UseKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    use_keys("AKRIGHT", "right-secret")
    settings = Settings(lake="s3://wheel/lake", control=tmp_path, s3_endpoint="127.0.0.1:1", s3_use_ssl=False)
    for call in (lambda: write_rows(settings), lambda: open_store(settings).read("x")):
        message = told(StoreBusy, call, "AKRIGHT", "right-secret")
        assert "`s3_endpoint` is 127.0.0.1:1, `s3_use_ssl` is False" in message


@pytest.mark.parametrize(
    ("error", "catalog", "expected"),
    [
        (
            BadSetting,
            "dbname=postgres host=127.0.0.1 port={port} user=flywheel password={wrong}",
            "authentication failed",
        ),
        (BadSetting, "postgresql://flywheel:{wrong}@127.0.0.1:{port}/postgres", "authentication failed"),
        (
            BadSetting,
            "dbname=nowhere host=127.0.0.1 port={port} user=flywheel password={right}",
            '"nowhere" does not',
        ),
        (BadSetting, "dbname=lake hots=127.0.0.1 password={right}", 'invalid connection option "hots"'),
        (StoreBusy, "dbname=lake host=127.0.0.1 port=1 password='{wrong} x'", "Connection refused"),
    ],
)
def test_postgres_that_does_not_let_us_in(
    error: type[FlywheelError], catalog: str, expected: str, postgres: Any, tmp_path: Path
) -> None:
    right = postgres.password
    settings = Settings(
        lake=str(tmp_path / "lake"),
        catalog="postgres:" + catalog.format(port=postgres.port, wrong=WRONG, right=right),
    )
    message = told(error, lambda: Lake.open(settings), WRONG, right)
    assert expected in message
    assert "***" in message


def test_database_that_is_not_ours(postgres: Any, tmp_path: Path) -> None:
    name = postgres.new_database()
    postgres.run(f"create role guest login password '{WRONG}'")
    catalog = postgres.catalog(name, WRONG).replace("user=flywheel", "user=guest")
    message = told(BadSetting, lambda: Lake.open(Settings(lake=str(tmp_path / "lake"), catalog=catalog)), WRONG)
    assert "permission denied for schema public" in message


def test_postgres_that_goes_away(postgres: Any, tmp_path: Path) -> None:
    name = postgres.new_database()
    settings = Settings(lake=str(tmp_path / "lake"), catalog=postgres.catalog(name))
    stop = f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"  # noqa: S608 - our name
    insert = "insert into spend (day, call_id) values ('2026-01-01', 'a')"

    def stopped_within(lake: Lake) -> None:
        with lake.transaction("test") as cursor:
            cursor.execute(insert)
            postgres.run(stop)

    with Lake.open(settings) as lake:
        message = told(StoreBusy, lambda: stopped_within(lake), postgres.password)
        assert "connection was lost (is that where Postgres runs?)" in message
        assert lake.scalar("select count(*) from spend") == 0
        with lake.transaction("test") as cursor:
            cursor.execute(insert)
        assert lake.scalar("select count(*) from spend") == 1


def test_catalog_of_another_lake(settings: Settings, tmp_path: Path) -> None:
    with Lake.open(settings):
        pass
    elsewhere = settings.model_copy(update={"lake": str(tmp_path / "elsewhere")})
    message = told(BadSetting, lambda: Lake.open(elsewhere))
    assert f"expected '{settings.lake_root}', where this catalog's rows are" in message
