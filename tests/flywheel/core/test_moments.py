"""What `--at` may say, and which version is meant."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from flywheel.core.errors import UnknownMoment
from flywheel.core.moments import AtRelease, AtTime, AtVersion, LakeVersion, pick_version, read_moment

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
# 4 was removed; 5 and 6 were made on two machines whose clocks differ
VERSIONS = [
    LakeVersion(2, datetime(2026, 3, 1, 8, tzinfo=UTC)),
    LakeVersion(3, datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC)),
    LakeVersion(5, datetime(2026, 3, 3, 0, 0, 1, tzinfo=UTC)),
    LakeVersion(6, datetime(2026, 3, 3, 0, 0, 0, tzinfo=UTC)),
]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("12", AtVersion("12", 12)),
        ("2026", AtVersion("2026", 2026)),
        ("release:3", AtRelease("release:3", "3")),
        ("release:latest", AtRelease("release:latest", "latest")),
        ("latest", AtRelease("latest", "latest")),
        ("prod-2026-11", AtRelease("prod-2026-11", "prod-2026-11")),
        ("release", AtRelease("release", "release")),
    ],
)
def test_numbers_and_names(text: str, meant: AtVersion | AtRelease) -> None:
    assert read_moment(text) == meant


@pytest.mark.parametrize(
    ("text", "ends_at"),
    [
        ("2026-03-01", datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("2026-03-01T12:00:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01 12:00:00.25", datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-03-01T12:00:00+05:30", datetime(2026, 3, 1, 6, 30, tzinfo=UTC)),
    ],
)
def test_times_are_in_utc_unless_they_say_otherwise(text: str, ends_at: datetime) -> None:
    meant = read_moment(text)
    assert isinstance(meant, AtTime)
    assert meant.ends_at == ends_at


@pytest.mark.parametrize(
    "text",
    ["", "-1", "1.5", "2026-3-1", "2026-02-30", "2026-03-01T25:00", "release:", "release:a/b", "vérité", "3 2"],
)
def test_what_has_no_form_is_told_the_forms(text: str) -> None:
    with pytest.raises(UnknownMoment, match=r"expected a version of the lake \(12\)") as refused:
        read_moment(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3", 3),
        ("2026-03-01", 3),
        ("2026-03-02", 3),
        ("2026-03-01T23:59:59Z", 2),
        ("2026-03-01T08:00:00Z", 2),
        ("2026-03-03T00:00:00Z", 6),
        ("2026-03-03", 6),
        ("2026-03-05", 6),
        ("2026-03-05T12:00:00Z", 6),
    ],
)
def test_the_newest_version_of_then_is_picked(text: str, number: int) -> None:
    meant = read_moment(text)
    assert not isinstance(meant, AtRelease)
    assert pick_version(meant, VERSIONS, NOW) == number


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("4", "version 4 is not there, it never was or was removed; there are 2-3, 5-6"),
        ("7", "there are 2-3, 5-6"),
        ("2026-02-28", "its versions begin at 2026-03-01T08:00:00Z with version 2"),
        ("2026-03-01T07:59:59Z", "with version 2"),
        ("2026-03-06", "it has not come, now is 2026-03-05T12:00:00Z"),
        ("2026-03-05T12:00:01Z", "it has not come"),
    ],
)
def test_what_there_is_not_is_told(text: str, told: str) -> None:
    meant = read_moment(text)
    assert not isinstance(meant, AtRelease)
    with pytest.raises(UnknownMoment) as refused:
        pick_version(meant, VERSIONS, NOW)
    assert told in str(refused.value)


def test_a_lake_without_versions_is_none_yet() -> None:
    with pytest.raises(UnknownMoment, match="there is no lake yet"):
        pick_version(AtVersion("0", 0), [], NOW)


def test_a_day_ends_where_the_next_begins() -> None:
    today, tomorrow = read_moment("2026-03-01"), read_moment("2026-03-02")
    assert isinstance(today, AtTime)
    assert isinstance(tomorrow, AtTime)
    assert tomorrow.begins_at - today.ends_at == timedelta(microseconds=1)


def test_a_time_without_a_zone_is_utc_wherever_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        meant = read_moment("2026-03-01T12:00:00")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert isinstance(meant, AtTime)
    assert meant.ends_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
