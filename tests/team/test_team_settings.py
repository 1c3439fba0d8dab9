"""Where a lake is, is checked before anything is opened, and a password is not shown; no server is needed."""

from pathlib import Path

import pytest

from flywheel.core.duck import attach_statement
from flywheel.core.errors import BadSetting
from flywheel.core.settings import Settings, hidden, without_password

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("catalog", "postgresql://w:hunter2@db/wheel", "'postgresql://w:***@db/wheel'; expected '' or postgres:"),
        ("catalog", "dbname=wheel password=hunter2", "'dbname=wheel password=***'; expected '' or postgres:"),
        ("catalog", "sqlite:x", "'sqlite:x'; expected '' or postgres:"),
        ("lake", "gs://bucket/wheel", "'gs://bucket/wheel'; expected a folder or s3://bucket/prefix"),
        ("lake", "s3://", "'s3://'; expected a folder or s3://bucket/prefix"),
        ("lake", "", "''; expected a folder or s3://bucket/prefix"),
        ("s3_endpoint", "http://minio:9000", "'http://minio:9000'; expected host or host:port"),
    ],
)
def test_place_that_cannot_work_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(f"FLYWHEEL_{name.upper()}", value)
    with pytest.raises(BadSetting) as refused:
        Settings()
    assert str(refused.value).startswith(f"Setting {name!r} is {expected}")
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("catalog", "without"),
    [
        ("postgres:dbname=wheel host=db", "postgres:dbname=wheel host=db"),
        ("postgres:dbname=wheel password=hunter2", "postgres:dbname=wheel"),
        ("postgres:password=hunter2 dbname=wheel", "postgres:dbname=wheel"),
        ("postgres:dbname=wheel password = 'hunter2 isn\\'t it' host=db", "postgres:dbname=wheel host=db"),
        ("postgres:dbname=wheel sslpassword=hunter2 host=db", "postgres:dbname=wheel host=db"),
        ("postgres:postgresql://w:hunter2@db:5432/wheel", "postgres:postgresql://w@db:5432/wheel"),
        ("postgres:postgresql://w:p@hunter2@db/wheel", "postgres:postgresql://w@db/wheel"),
        ("postgres:postgresql://db/wheel?password=hunter2&user=w", "postgres:postgresql://db/wheel?user=w"),
        ("postgres:postgresql://db/wheel?user=w&password=hunter2", "postgres:postgresql://db/wheel?user=w"),
    ],
)
def test_password_is_left_out_of_what_gets_printed(tmp_path: Path, catalog: str, without: str) -> None:
    settings = Settings(lake=str(tmp_path), catalog=catalog)
    assert without_password(catalog) == without
    shown = attach_statement(settings, show_secrets=False)
    assert shown == f"attach 'ducklake:{without}' as lake (data_path '{tmp_path}/tables/')"
    assert SECRET not in hidden(f"could not connect by {catalog}", catalog)
    assert SECRET not in repr(settings)


def test_embedded_statement_has_nothing_to_hide(tmp_path: Path) -> None:
    settings = Settings(lake=str(tmp_path))
    assert attach_statement(settings, show_secrets=False) == attach_statement(settings)
