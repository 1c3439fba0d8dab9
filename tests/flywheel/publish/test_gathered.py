"""A release can be made again from what its manifest names, whatever happened since."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from flywheel.core.errors import UsageError
from flywheel.core.lake import Lake
from flywheel.core.lake_compact import compact_lake
from flywheel.core.releases import Release
from flywheel.publish.gathered import reproduce

LATER = date(2026, 1, 7)


def again(desk: Any, release: Release) -> str:
    with Lake.open(desk.settings, at=release.manifest["lake_version"]) as then:
        return reproduce(desk.store, then, release)


def test_every_version_is_what_its_inputs_give_after_later_changes(desk: Any) -> None:
    desk.correct(range(40))
    desk.lake.build("preferences", date(2026, 1, 5))
    first = desk.released()
    desk.correct(range(40, 50), day=LATER)
    desk.land("audits", [{"day": LATER, "example_id": "a", "query": "a question nobody asked", "is_failure": False}])
    second = desk.released(LATER)
    refused = {
        "day": LATER,
        "quarantine_id": "q",
        "table_name": "corrections",
        "refused_id": "0003",
        "reason": "wrong",
    }
    desk.land("quarantine", [refused | {"quarantined_at": datetime(2026, 1, 8, tzinfo=UTC)}])
    third = desk.released(LATER)
    with desk.lake.transaction("spoil what is there now") as cursor:
        cursor.execute("update lake.corrections set chosen = 'spoilt'")
    compact_lake(desk.lake, desk.store, datetime(2027, 1, 1, tzinfo=UTC), keep_days=1)
    releases = [first, second, third]
    assert len({release.content_hash for release in releases}) == 3
    assert [again(desk, release) for release in releases] == [release.content_hash for release in releases]


def test_what_is_committed_while_a_version_is_made_is_not_in_it(desk: Any) -> None:
    desk.correct(range(40))
    first = desk.released()
    assert first.manifest["lake_version"] < desk.lake.version()  # the gate's results came after it was gathered
    assert again(desk, first) == first.content_hash


def test_other_inputs_give_other_content(desk: Any) -> None:
    desk.correct(range(40))
    first = desk.released()
    desk.correct([40])
    manifest = first.manifest | {"lake_version": desk.lake.version()}
    assert again(desk, replace(first, manifest=manifest)) != first.content_hash


def test_a_manifest_without_a_day_cannot_be_made_again(desk: Any) -> None:
    desk.correct(range(40))
    first = desk.released()
    manifest = {name: fact for name, fact in first.manifest.items() if name != "day"}
    with pytest.raises(UsageError, match="has no 'day'"):
        again(desk, replace(first, manifest=manifest))
