"""An older version is found without touching the lake, and what it lacks is told as that."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from flywheel.core.errors import BadStatement, MissingPart, NotInVersion, UnknownMoment, UnknownVersion
from flywheel.core.lake import Lake
from flywheel.core.moments import read_moment
from flywheel.core.releases import publish_files
from flywheel.core.settings import Settings
from flywheel.core.statements import Connection, run_typed
from flywheel.core.storage import open_store
from flywheel.core.versions import as_of_version, find_version, lake_versions

NOW = datetime(2026, 3, 5, tzinfo=UTC)


@pytest.fixture
def grown(settings: Settings) -> Settings:
    """Return a lake that got a table, a view and a column after version 1."""
    with Lake.open(settings) as lake:
        lake.connection.execute("create table lake.later (id integer)")
        lake.connection.execute("create view lake.newest as select max(id) as id from lake.later")
        lake.connection.execute("alter table lake.answers add column mood varchar")
    return settings


def nothing_beside(cursor: Connection) -> None:
    """Make no views."""
    del cursor


def publish(settings: Settings, **facts: object) -> None:
    publish_files(
        open_store(settings), settings.dataset, {"a": b"a"}, {"content_hash": repr(facts), **facts}, datetime.now(UTC)
    )


def test_the_versions_of_a_lake_are_listed_and_none_is_made(grown: Settings) -> None:
    before = lake_versions(grown)
    assert [version.number for version in before] == [0, 1, 2, 3, 4]
    assert before == sorted(before, key=lambda version: version.made_at)
    assert lake_versions(grown) == before


def test_looking_for_a_lake_makes_none(settings: Settings, tmp_path: Path) -> None:
    assert lake_versions(settings) == []
    assert list(tmp_path.iterdir()) == []


def test_a_catalog_that_is_none_stays_as_it_is(settings: Settings) -> None:
    settings.control_folder.mkdir()
    catalog = settings.control_folder / "catalog.sqlite"
    catalog.touch()
    with pytest.raises(MissingPart, match="`flywheel doctor` shows what is wrong"):
        lake_versions(settings)
    assert catalog.read_bytes() == b""


def test_a_time_is_that_of_the_commit(grown: Settings) -> None:
    made_at = lake_versions(grown)[2].made_at
    now = datetime.now(UTC)
    assert find_version(grown, read_moment(made_at.isoformat()), now) == 2
    assert find_version(grown, read_moment((made_at - timedelta(microseconds=1)).isoformat()), now) == 1


def test_a_release_is_the_version_it_was_made_of(grown: Settings) -> None:
    publish(grown, lake_version=3)
    publish(grown, lake_version=4)
    found = [find_version(grown, read_moment(text), NOW) for text in ("release:1", "release:latest", "latest")]
    assert found == [3, 4, 4]


def test_a_release_that_is_none_is_told_the_tags(grown: Settings) -> None:
    publish(grown, lake_version=3)
    with pytest.raises(UnknownVersion, match=r"no version or tag 'prod'\. It has: 1, latest"):
        find_version(grown, read_moment("prod"), NOW)


def test_a_release_whose_version_is_gone_or_untold_says_so(grown: Settings) -> None:
    publish(grown, lake_version=9)
    publish(grown)
    with pytest.raises(UnknownMoment, match=r"version 9 is not there.*there are 0-4"):
        find_version(grown, read_moment("release:1"), NOW)
    with pytest.raises(UnknownMoment, match="release 2 does not say what it was made of"):
        find_version(grown, read_moment("release:2"), NOW)


def test_a_removed_version_is_told_from_those_left(grown: Settings) -> None:
    with Lake.open(grown) as lake:
        lake.connection.execute("call ducklake_expire_snapshots('lake', versions => [2])").fetchall()
    with pytest.raises(UnknownMoment, match=r"version 2 is not there.*there are 0-1, 3-4"):
        find_version(grown, read_moment("2"), NOW)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("from later", "Version 1 of the lake has no table 'later': it came with version 2."),
        ("from lake.later", "no table 'later': it came with version 2"),
        ("from newest", "no view 'newest': it came with version 3"),
        ("select mood from answers", "no column 'mood' in answers: it came with version 4"),
        ("select a.mood from answers as a", "no column 'mood' in answers"),
        ("select * exclude (mood) from answers", "no column 'mood' in answers"),
        ("from answers join answers as b using (mood)", "no column 'mood' in answers"),
    ],
)
def test_what_came_later_is_told_as_that(grown: Settings, statement: str, told: str) -> None:
    with Lake.open(grown, at=1) as lake, pytest.raises(NotInVersion) as refused:
        run_typed(lake, statement, nothing_beside)
    assert told in str(refused.value)


@pytest.mark.parametrize("statement", ["from nowhere", "select nothing from answers", "select 1 +"])
def test_what_never_was_is_a_bad_statement(grown: Settings, statement: str) -> None:
    with Lake.open(grown, at=1) as lake, pytest.raises(BadStatement):
        run_typed(lake, statement, nothing_beside)


def test_a_query_of_ours_on_a_version_before_its_table(settings: Settings) -> None:
    with Lake.open(settings):
        pass
    with (
        Lake.open(settings, at=0) as lake,
        pytest.raises(NotInVersion, match=r"no table 'answers'.*version 1"),
        as_of_version(lake),
    ):
        lake.frame("select count(*) from answers")


def test_a_query_of_ours_on_what_no_version_has_yet(grown: Settings) -> None:
    with (
        Lake.open(grown, at=1) as lake,
        pytest.raises(NotInVersion, match="no 'not_made_yet': it came later"),
        as_of_version(lake),
    ):
        lake.frame("from not_made_yet")


def test_the_newest_version_explains_nothing_away(grown: Settings) -> None:
    with Lake.open(grown) as lake, pytest.raises(duckdb.CatalogException), as_of_version(lake):
        lake.frame("from nowhere")


def test_an_older_version_takes_no_writes(grown: Settings) -> None:
    with Lake.open(grown, at=1) as lake, pytest.raises(duckdb.Error, match="read-only"):
        lake.connection.execute("insert into lake.answers (answer_id) values ('a')")
