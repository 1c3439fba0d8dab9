"""Kill -9 of a publisher, at every write and in the gate: afterwards there is a whole release or none."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import orjson
import pytest

from flywheel.core.lake import Lake
from flywheel.core.releases import Release, find_release, list_releases, publish_files, read_file
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore
from flywheel.core.tags import tags
from flywheel.publish.day import publish_day
from tests.faults.acts import correction

pytestmark = pytest.mark.xdist_group("publish_killed")  # its tests share what the killed ones left

NOW = datetime(2026, 1, 9, tzinfo=UTC)
MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)
WholeReleases = Callable[..., list[int]]

# one child per moment, forked before anything heavy is imported; says which ended how
EVERY_WRITE = """
from datetime import UTC, datetime
from flywheel.core.releases import publish_files

NOW = datetime(2026, 1, 9, tzinfo=UTC)

def publish(store, text):
    files = {f"{name}.txt": f"{name} of {text}".encode() for name in "abc"}
    publish_files(store, "corrections", files, {"content_hash": text}, NOW)

for moment in sys.argv[2:]:
    folder = f"{sys.argv[1]}/{moment.replace(' ', '-').replace('/', '_')}"
    publish(FolderStore(folder), "one")
    child = os.fork()
    if child == 0:
        publish(MortalStore(folder, moment), "two")
        os._exit(0)
    print(moment, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), sep="|")
"""
FILES = ("a", "b", "c")
BEFORE_THE_CLAIM = [f"{verb} staged/:{n}" for n in (1, 2, 3) for verb in ("put", "tear")] + [
    "put claims/:1",
    "tear claims/:1",
]
BEFORE_THE_MANIFEST = [
    f"{verb} releases/corrections/2/{name}:1"
    for name in ("a.txt", "b.txt", "c.txt", "manifest.json")
    for verb in ("put", "tear")
]
AFTER_THE_MANIFEST = [*(f"delete staged/:{n}" for n in (1, 2, 3)), "put tags/:1", "tear tags/:1"]
MOMENTS = BEFORE_THE_CLAIM + BEFORE_THE_MANIFEST + AFTER_THE_MANIFEST


def publish_text(store: FolderStore, text: str) -> Release:
    files = {f"{name}.txt": f"{name} of {text}".encode() for name in FILES}
    return publish_files(store, "corrections", files, {"content_hash": text}, NOW)


def texts(store: FolderStore, version: int) -> list[str]:
    release = find_release(store, "corrections", str(version))
    return [read_file(store, release, f"{name}.txt").decode() for name in FILES]


@pytest.fixture(scope="module")
def graveyard(mortal: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one store per moment: version 1 in it, and a publisher of version 2 that died."""
    folder = tmp_path_factory.mktemp("graveyard")
    command = [sys.executable, "-c", mortal + EVERY_WRITE, str(folder), *MOMENTS]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == [f"{moment}|-9" for moment in MOMENTS]
    return folder


def place_of(graveyard: Path, moment: str) -> Path:
    return graveyard / moment.replace(" ", "-").replace("/", "_")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_reader_sees_the_version_whole_or_not_at_all(
    graveyard: Path, whole_releases: WholeReleases, moment: str
) -> None:
    folder = place_of(graveyard, moment)
    assert whole_releases(folder) == ([1, 2] if moment in AFTER_THE_MANIFEST else [1])
    assert tags(FolderStore(str(folder)), "corrections") == {"latest": 1}


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_same_again_is_exactly_one_release(graveyard: Path, whole_releases: WholeReleases, moment: str) -> None:
    store = FolderStore(str(place_of(graveyard, moment)))
    assert publish_text(store, "two").version == 2
    assert whole_releases(Path(store.root)) == [1, 2]
    assert [texts(store, version) for version in (1, 2)] == [
        [f"{name} of {text}" for name in FILES] for text in ("one", "two")
    ]
    log = [orjson.loads(store.read(name))["version"] for name in store.names("tags/corrections/latest")]
    assert log == [1, 2]


@pytest.mark.parametrize("moment", MOMENTS)
def test_other_content_next_leaves_no_gap(
    mortal: str, tmp_path: Path, whole_releases: WholeReleases, moment: str
) -> None:
    command = [sys.executable, "-c", mortal + EVERY_WRITE, str(tmp_path), moment]
    subprocess.run(command, capture_output=True, check=True)
    store = FolderStore(str(place_of(tmp_path, moment)))
    publish_text(store, "three")
    expected = {2: "three"} if moment in BEFORE_THE_CLAIM else {2: "two", 3: "three"}
    assert whole_releases(Path(store.root)) == [1, *expected]
    assert {version: texts(store, version)[0] for version in expected} == {
        version: f"a of {text}" for version, text in expected.items()
    }
    assert tags(store, "corrections") == {"latest": max(expected)}


DAY = """
from datetime import UTC, date, datetime
from flywheel.core.settings import Settings
from flywheel.publish.day import publish_day

MortalLake.fate = Fate(sys.argv[2])
settings = Settings(lake=sys.argv[1])
with MortalLake.open(settings) as lake:
    store = MortalStore(settings.lake_root, sys.argv[2])
    print(publish_day(lake, store, settings, date(2026, 1, 6), datetime(2026, 1, 9, tzinfo=UTC)))
"""
IN_A_DAY = [
    "commit land gates:1",  # in the gate
    "put staged/:4",
    "put releases/corrections/{version}/manifest.json:1",
    "put tags/:1",
]


def test_a_day_that_was_killed_is_published_by_the_next_run(
    settings: Settings, mortal_lake: str, killed: Callable[..., None], whole_releases: WholeReleases
) -> None:
    store = FolderStore(settings.lake_root)
    with Lake.open(settings) as lake:
        lake.land("corrections", lake.typed("corrections", [correction(number) for number in range(20)]))
        publish_day(lake, store, settings, MONDAY, NOW)
        for version, moment in enumerate(IN_A_DAY, start=2):
            fresh = [correction(version * 100 + number, TUESDAY) for number in range(5)]
            lake.land("corrections", lake.typed("corrections", fresh))
            killed(mortal_lake + DAY, settings.lake, moment.format(version=version))
            is_complete = moment.startswith("put tags/")
            assert whole_releases(Path(store.root)) == list(range(1, version + is_complete)), moment
            assert tags(store, "corrections") == {"latest": version - 1}
            release = publish_day(lake, store, settings, TUESDAY, NOW)
            assert isinstance(release, Release), moment
            assert (release.version, release.manifest["parent"]) == (version, version - 1)
            recorded = "select count(*) from gates where candidate = $candidate"
            results = orjson.loads(read_file(store, release, "gate.json"))["results"]
            assert lake.scalar(recorded, candidate=release.content_hash) == len(results)
            assert whole_releases(Path(store.root)) == list(range(1, version + 1)), moment
            assert tags(store, "corrections") == {"latest": version}
        assert lake.scalar("select count(*) from release_profiles") == 1 + len(IN_A_DAY)
        assert lake.scalar("select count(*) from quarantine") == 0
    assert list_releases(store)[-1].manifest["rows_by_author_kind"] == {"human": 20 + 5 * len(IN_A_DAY)}
