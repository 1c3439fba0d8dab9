"""Two publishers, ten committers and a reader at the same time, on an embedded lake."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flywheel.core.lake import Lake
from flywheel.core.releases import list_releases
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore
from flywheel.core.tags import tags
from flywheel.publish.release_rows import read_rows
from tests.faults.race import Race

pytestmark = pytest.mark.slow

COMMITTERS, COMMITS, ROWS, RELEASES = 10, 12, 15, 3
BEGIN = """
import sys
from datetime import UTC, date, datetime
from flywheel.core.errors import TransientError
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore
from flywheel.publish.day import publish_day
from tests.faults.acts import correction

settings = Settings(lake=sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()

def stubborn(work):
    for _ in range(50):
        try:
            return work()
        except TransientError:
            continue
    raise SystemExit("never came through")
"""
COMMITTER = (
    BEGIN
    + """
first, commits, rows = map(int, sys.argv[2:])
with Lake.open(settings) as lake:
    for number in range(first, first + commits * rows, rows):
        made = lake.typed("corrections", [correction(one) for one in range(number, number + rows)])
        print(stubborn(lambda: lake.land("corrections", made)))
"""
)
PUBLISHER = (
    BEGIN
    + """
store = FolderStore(settings.lake_root)
with Lake.open(settings) as lake:
    for _ in range(int(sys.argv[2])):
        print(stubborn(lambda: publish_day(lake, store, settings, date(2026, 1, 5), datetime.now(UTC))).version)
"""
)


def corrections(lake: Lake) -> tuple[int, int]:
    found: tuple[int, int] = lake.frame("select count(*), count(distinct correction_id) from corrections").row(0)
    return found


def watch(settings: Settings, committers: Race, publishers: Race, whole_releases: Callable[..., list[int]]) -> int:
    """Read all the time, start the publishers when there is something to publish; return how often it looked."""
    before, looks = 0, 0
    with Lake.open(settings) as reader:
        while committers.is_on() or publishers.is_on():
            count, distinct = corrections(reader)
            assert (count, count % ROWS) == (distinct, 0)  # each commit whole, none twice
            assert count >= before
            seen = whole_releases(Path(settings.lake_root))
            assert seen == list(range(1, len(seen) + 1))
            if count and not before:
                publishers.start()
            before, looks = count, looks + 1
        assert corrections(reader) == (COMMITTERS * COMMITS * ROWS,) * 2
    return looks


def test_two_publishers_ten_committers_and_a_reader(
    settings: Settings, whole_releases: Callable[..., list[int]]
) -> None:
    with Lake.open(settings):
        pass  # its tables are made
    firsts = [str(number * COMMITS * ROWS) for number in range(COMMITTERS)]
    committers = Race(COMMITTER, *([settings.lake, start, str(COMMITS), str(ROWS)] for start in firsts))
    publishers = Race(PUBLISHER, *([settings.lake, str(RELEASES)] for _ in range(2)))
    committers.start()
    assert watch(settings, committers, publishers, whole_releases) > 5
    landed = [line.split() for line in committers.results()]
    assert landed == [[str(ROWS)] * COMMITS] * COMMITTERS  # what was acknowledged is there
    acknowledged = {int(version) for line in publishers.results() for version in line.split()}
    store = FolderStore(settings.lake_root)
    found = list_releases(store, "corrections")
    assert acknowledged <= {release.version for release in found}
    assert tags(store, "corrections") == {"latest": len(found)}
    sizes = [read_rows(store, release)["correction_id"].n_unique() for release in found]
    assert sizes == sorted(sizes)
    assert [size % ROWS for size in sizes] == [0] * len(sizes)
    with Lake.open(settings, at=found[-1].manifest["lake_version"]) as then:
        assert then.scalar("select count(*) from corrections") == sizes[-1]
