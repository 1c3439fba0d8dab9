"""The past is found and told from the present wherever catalog and files are."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from flywheel.core.errors import BadSetting, NotInVersion
from flywheel.core.lake import Lake
from flywheel.core.moments import read_moment
from flywheel.core.settings import Settings
from flywheel.core.versions import as_of_version, find_version, lake_versions

pytestmark = [pytest.mark.team, pytest.mark.xdist_group("team")]

THURSDAY = date(2026, 1, 1)


def test_a_version_is_found_by_its_time_and_what_came_later_is_told(
    lake: Lake, settings: Settings, rows_for: Callable[..., pl.DataFrame]
) -> None:
    lake.land("spend", rows_for(lake, "spend", {"day": THURSDAY, "call_id": "a"}))
    then = lake.version()
    lake.connection.execute("create table lake.later (id integer)")
    lake.connection.execute("alter table lake.spend add column mood varchar")
    made_at = {version.number: version.made_at for version in lake_versions(settings)}
    now = datetime.now(UTC)
    assert find_version(settings, read_moment(made_at[then].isoformat()), now) == then
    assert find_version(settings, read_moment(now.date().isoformat()), now) == lake.version()
    with Lake.open(settings, at=then) as older:
        assert older.scalar("select count(*) from spend") == 1
        for statement, told in (
            ("from later", "table 'later'"),
            ("select mood from spend", "column 'mood' in spend"),
        ):
            with pytest.raises(NotInVersion, match=f"{told}: it came with version"), as_of_version(older):
                older.frame(statement)


def test_a_catalog_that_does_not_let_us_in_keeps_the_password(postgres: Any) -> None:
    settings = Settings(lake="s3://bucket/wheel", catalog=postgres.catalog(postgres.new_database(), "not-this"))
    with pytest.raises(BadSetting) as refused:
        lake_versions(settings.model_copy(update={"lake": "data"}))
    assert "not-this" not in str(refused.value)
