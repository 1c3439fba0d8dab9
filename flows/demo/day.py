"""One day of the demo: the product serves, its log is ingested, mined and routed, people and the teacher correct."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from flows.correct import correct_examples
from flows.demo.models import serve
from flows.demo.people import answer_queue, traces_of
from flows.demo.results import DriftDay
from flows.demo.stage import Stage
from flows.demo.world import NEW_FROM, SEED, World
from flows.ingest import ingest_logs
from flows.mine import mine_failures
from flows.route import route_examples
from flows.watch import watch_traffic
from flywheel.core.connections import open_lake
from flywheel.core.errors import DriftFound
from flywheel.core.storage import open_store
from flywheel.scenario.logs import as_lines, sprinkle_malformed, write_log
from flywheel.scenario.product import simulate_day
from flywheel.scenario.traffic import DayOfTraffic
from flywheel.scenario.users import Habits

MALFORMED = 5  # broken lines planted in each day's log
_DRIFT = """
select column_name, verdict, explanation from drift where day = $day order by verdict != 'drift', column_name
"""


@dataclass(slots=True)
class Played:
    """What the world knows about the traffic so far; the stages see none of it."""

    labels: dict[str, str] = field(default_factory=dict)  # true label by trace id
    texts: dict[date, list[tuple[str, str]]] = field(default_factory=dict)  # (text, trace id) by day
    drift: list[DriftDay] = field(default_factory=list)


def play_day(stage: Stage, world: World, day: date, model: str, played: Played) -> None:
    """Let a model serve a day of traffic and take its log through the front half of the wheel."""
    traffic = simulate_day(
        world.arrivals[day], day, lambda texts: serve(stage.world_provider, model, texts), Habits(), SEED
    )
    ingest_logs(str(_log(traffic, stage.logs / f"{day}.jsonl", day)))
    _remember(traffic, day, played)
    mine_failures(day)
    played.drift.append(_watch(day))
    route_examples(day)
    with open_lake() as lake:
        answer_queue(lake, open_store(), day, played.labels)
    correct_examples(day)


def _remember(traffic: DayOfTraffic, day: date, played: Played) -> None:
    with open_lake() as lake:
        became = traces_of(lake, traffic.truth)
    played.labels |= {trace_id: truth.expected for trace_id, truth in became}
    played.texts[day] = [(truth.text, trace_id) for trace_id, truth in became]


def _log(traffic: DayOfTraffic, path: Path, day: date) -> Path:
    write_log(path, sprinkle_malformed(as_lines(traffic.records), day.toordinal(), MALFORMED))
    return path


def _watch(day: date) -> DriftDay:
    """Run the watch flow, which fails on drift, and return what it wrote down."""
    try:
        watch_traffic(day)
        verdict = "ok"
    except DriftFound:
        verdict = "drift"
    with open_lake() as lake:
        rows = lake.frame(_DRIFT, day=day).rows(named=True)
    drifted = [row for row in rows if row["verdict"] == "drift"]
    if all(row["verdict"] == "insufficient" for row in rows):
        verdict = "insufficient"
    return DriftDay(
        day=str(day),
        verdict=verdict,
        columns=tuple(row["column_name"] for row in drifted),
        explanation="; ".join(f"{row['column_name']}: {row['explanation']}" for row in drifted),
        is_new_intents_day=day == NEW_FROM,
    )
