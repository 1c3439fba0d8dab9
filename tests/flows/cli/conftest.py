"""A wheel that turned once without Prefect, and `flywheel` called as a function."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.cli.example import as_jsonl, example_answers, example_log
from flows.cli.main import main
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings, load_settings
from flywheel.core.storage import open_store
from flywheel.correct.correctors import HumanQueue
from flywheel.correct.day import CorrectionPolicy, accept_answers, collect_answers, examples_for_people
from flywheel.correct.inbox import put_in_inbox
from flywheel.ingest.files import ingest_file
from flywheel.mine.labels import weigh_signals
from flywheel.mine.named import name_modes
from flywheel.mine.repeats import find_repeats
from flywheel.mine.selection_day import Quota, choose_examples
from flywheel.publish.day import publish_day
from flywheel.route.day import route_day
from flywheel.route.policy import RoutingPolicy
from flywheel.watch.day import WatchPolicy, watch_day

DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str


Flywheel = Callable[..., Said]


@pytest.fixture(scope="session")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a lake in which the example went from logs to a release; for tests that only look."""
    folder = tmp_path_factory.mktemp("turned")
    log = folder / "example.jsonl"
    log.write_text(as_jsonl(example_log()) + "not json\n", encoding="utf-8")
    settings = Settings(lake=str(folder / "lake"))
    with Lake.open(settings) as lake:
        store = open_store(settings)
        ingest_file(lake, str(log), now=NOW)
        for table in ("traces", "feedback", "signals"):
            lake.build(table, DAY)
        weigh_signals(lake, DAY)
        lake.build("failures", DAY)
        find_repeats(lake, DAY)
        name_modes(lake, DAY)
        choose_examples(lake, DAY, Quota(budget=20, audit_count=5))
        route_day(lake, DAY, RoutingPolicy())
        people = HumanQueue(lake, store, NOW, 0.0)
        people.submit(examples_for_people(lake, DAY))
        put_in_inbox(store, as_jsonl(example_answers()).encode())
        collect_answers(lake, DAY, [people])
        accept_answers(lake, DAY, CorrectionPolicy())
        publish_day(lake, store, settings, DAY, NOW)
        watch_day(lake, DAY, WatchPolicy())
    return folder / "lake"


@pytest.fixture
def flywheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Flywheel]:
    """Call `flywheel` in an empty folder with a lake of its own, or with the one that `lake` names."""
    monkeypatch.chdir(tmp_path)

    def call(*args: str, lake: Path = tmp_path / "lake") -> Said:
        monkeypatch.setenv("FLYWHEEL_LAKE", str(lake))
        load_settings.cache_clear()
        code = main(args)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    yield call
    load_settings.cache_clear()
