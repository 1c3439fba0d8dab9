"""Postgres cuts a commit off, or keys are exchanged: a clear error, nothing half there, and then it works."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flywheel.core.errors import FlywheelError, MissingPart, TransientError
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings
from flywheel.core.storage import open_store

pytestmark = [pytest.mark.team, pytest.mark.xdist_group("team")]
DAY = date(2026, 1, 1)


def test_postgres_ends_all_connections_in_the_middle_of_a_commit(postgres: Any, tmp_path: Path) -> None:
    """What a restart does to a writer, without taking the server away from the tests beside this one."""
    database = postgres.new_database()
    settings = Settings(lake=str(tmp_path / "lake"), catalog=postgres.catalog(database))
    calls = [{"day": DAY, "call_id": str(number)} for number in range(20)]
    with Lake.open(settings) as lake:
        with pytest.raises(TransientError) as refused, lake.transaction("cut off", "spend") as cursor:
            cursor.execute("insert into spend (day, call_id) select date '2026-01-01', range::varchar from range(20)")
            postgres.run(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database}'")  # noqa: S608 - a name of ours
        assert postgres.password not in str(refused.value)
    with Lake.open(settings) as again:
        assert again.scalar("select count(*) from spend") == 0
        assert again.land("spend", again.typed("spend", calls)) == 20
        assert again.land("spend", again.typed("spend", calls)) == 0


def test_keys_that_stop_working_are_told_and_new_ones_heal(
    s3_settings: Settings, s3: Any, use_keys: Callable[[str, str], None]
) -> None:
    calls = [{"day": DAY, "call_id": str(number)} for number in range(20)]
    with Lake.open(s3_settings) as lake:
        lake.land("spend", lake.typed("spend", calls))
    use_keys(s3.key_id, "rotated-away")
    with pytest.raises(MissingPart, match="Access to") as refused:
        open_store(s3_settings).put("inbox/a", b"a")
    assert "rotated-away" not in str(refused.value)
    with Lake.open(s3_settings) as lake:
        more = lake.typed("spend", [{"day": DAY, "call_id": f"later {number}"} for number in range(20)])
        with pytest.raises(FlywheelError, match="Access to"):
            lake.land("spend", more)
    use_keys(s3.key_id, s3.secret)
    with Lake.open(s3_settings) as lake:
        assert lake.land("spend", more) == 20
        assert lake.scalar("select count(*) from spend") == 40
