"""Three turns of the wheel on one world, with the same budget spent at random beside it."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import numpy as np

from flows.correct import correct_examples
from flows.demo.day import Played, play_day
from flows.demo.models import ask, grades, pairs_of, train_on
from flows.demo.people import ERROR_RATE, EXPERT_SEED, offer_poison
from flows.demo.results import Gain, RandomTurn, Refused, Turn
from flows.demo.stage import Stage, use_settings
from flows.demo.world import SEED, World
from flows.improve import improve_model
from flows.publish import publish_release
from flywheel.core.connections import open_lake
from flywheel.core.errors import GateRefused
from flywheel.core.ids import content_id
from flywheel.core.settings import load_settings
from flywheel.core.storage import open_store
from flywheel.correct.day import CorrectionPolicy
from flywheel.improve.day import production_model
from flywheel.llm.ledger import Ledger
from flywheel.publish.splits import HELDOUT_SHARE
from flywheel.scenario.experts import Expert
from flywheel.scenario.poison import poisoned_answers
from flywheel.stats.intervals import wilson
from flywheel.stats.paired import paired_bootstrap

POISON_COUNT = 150
POISON_TURN = 2  # after this turn's release, so that there is something to poison

_COUNTS = """
select
    (select count(*) from traces where day between $first and $last) as traces,
    (select count(*) from failures where day between $first and $last) as failures,
    (select count(distinct mode_id) from failure_modes where day between $first and $last) as modes,
    (select count(*) from hard_examples where purpose = 'hard' and day between $first and $last) as hard_examples,
    (select count(*) from corrections where author_kind = 'human' and day between $first and $last
        and example_id is not null) as corrections_human,
    (select count(*) from corrections where author_kind = 'ai' and day between $first and $last) as corrections_ai,
    (select coalesce(sum(cost_usd), 0) from answers where author_kind = 'human' and example_id is not null
        and day between $first and $last) as human_usd
"""
_BOUGHT = """
select
    count(*) filter (where answers.author_kind = 'human') as by_people,
    count(*) filter (where answers.author_kind = 'ai' and routes.route = 'ai') as by_model
from answers
inner join hard_examples on answers.example_id = hard_examples.example_id
inner join routes on answers.example_id = routes.example_id
where hard_examples.purpose = 'hard' and answers.day between $first and $last
"""


@dataclass(slots=True)
class Story:
    """What has happened so far."""

    turns: list[Turn] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    played: Played = field(default_factory=Played)
    random_turns: list[RandomTurn] = field(default_factory=list)
    random_pairs: list[tuple[str, str]] = field(default_factory=list)  # what the random arm learned from
    right: dict[str, list[bool]] = field(default_factory=dict)  # grades on the test set by model


def start(stage: Stage, world: World) -> None:
    """Train the first production model and the teacher, and promote the first."""
    production = train_on(stage.world_provider, pairs_of(world.seeds), "wheel-small")
    teacher = train_on(stage.world_provider, pairs_of(world.teacher), "wheel-large")
    use_settings(
        base_model=production, teacher_model=teacher, audit_share=75 / 180, daily_budget=180, human_budget=40
    )
    day = min(world.arrivals)
    event = {
        "day": day,
        "event_id": content_id("first", production),
        "model_id": production,
        "base_model": "wheel-small",
        "status": "promoted",
        "reason": "first_model",
        "happened_at": datetime(day.year, day.month, day.day, tzinfo=UTC),
    }
    with open_lake() as lake:
        lake.land("models", lake.typed("models", [event]))


def play_turn(stage: Stage, world: World, turn: int, story: Story, tell: Callable[[str], None]) -> None:
    """Play the days of a turn, publish, improve, and compare with the same budget spent at random."""
    days = world.days_of(turn)
    with open_lake() as lake:
        production = production_model(lake, load_settings(), days[-1])
    spent = _spent()
    for day in days:
        tell(f"turn {turn}: {day:%A} - serving, mining, correcting")
        play_day(stage, world, day, production, story.played)
    tell(f"turn {turn}: gate and release")
    release = publish_release(days[-1])
    tell(f"turn {turn}: training and comparing")
    improvement = improve_model(days[-1])
    spent = _spent() - spent
    tell(f"turn {turn}: the same budget on random examples")
    before, after = (_graded(stage, world, model, story) for model in (improvement.production, improvement.candidate))
    difference = paired_bootstrap(np.array(before), np.array(after), seed=SEED)
    counts = _counts(_COUNTS, days)
    human_usd = float(counts.pop("human_usd"))
    accepted = counts["corrections_human"] + counts["corrections_ai"]
    story.turns.append(
        Turn(
            turn=turn,
            days=(str(days[0]), str(days[-1])),
            **counts,
            cost_usd=human_usd + spent,
            cost_per_accepted_usd=(human_usd + spent) / max(accepted, 1),
            release=release.version,
            production_model=improvement.production,
            candidate_model=improvement.candidate,
            production_accuracy=float(np.mean(before)),
            candidate_accuracy=float(np.mean(after)),
            difference_low=difference.low,
            difference_high=difference.high,
            promoted=improvement.decision.promoted,
            reason=improvement.decision.reason,
            random_accuracy=_random_arm(stage, world, turn, story),
        )
    )


def offer_and_refuse(world: World, turn: int, story: Story) -> None:
    """Offer an attacker's batch after a turn's release; the gate has to refuse it."""
    day = world.days_of(turn)[-1]
    victims = [query for day in world.days_of(turn) for query in world.arrivals[day]]
    offer_poison(open_store(), poisoned_answers(victims, POISON_COUNT, SEED, label=world.labels[0]), day)
    correct_examples(day)
    try:
        publish_release(day)
    except GateRefused as refused:
        story.refused.append(
            Refused(
                candidate=f"after release {story.turns[-1].release}",
                failed=tuple(refused.failed),
                quarantined=refused.quarantined_count,
                alert=str(refused),
            )
        )


def gain_of(story: Story) -> Gain:
    """Return the last candidate against the first production model, on the same test queries."""
    before = np.array(story.right[story.turns[0].production_model])
    after = np.array(story.right[str(story.turns[-1].candidate_model)])
    difference = paired_bootstrap(before, after, seed=SEED)
    return Gain(float(before.mean()), float(after.mean()), difference.low, difference.high)


def _graded(stage: Stage, world: World, model: str, story: Story) -> list[bool]:
    if model not in story.right:
        story.right[model] = grades(stage.world_provider, model, world.test)
    return story.right[model]


def _counts(query: str, days: Sequence[date]) -> dict[str, int]:
    with open_lake() as lake:
        return dict(lake.frame(query, first=days[0], last=days[-1]).row(0, named=True))


def _spent() -> float:
    with Ledger(load_settings().control_folder / "ledger.sqlite") as ledger:
        return ledger.spent_usd()


def _random_arm(stage: Stage, world: World, turn: int, story: Story) -> float:
    """Spend the turn's answers on random traces instead: the same people, teacher, held-out share and training."""
    bought = _counts(_BOUGHT, world.days_of(turn))
    seen = {text: trace_id for day in world.days_of(turn) for text, trace_id in story.played.texts[day]}
    rng = random.Random(SEED + turn)
    texts = rng.sample(sorted(seen), bought["by_people"] + bought["by_model"])
    expert = Expert(story.played.labels, ERROR_RATE, EXPERT_SEED)
    kept = [rng.random() >= HELDOUT_SHARE for _ in texts]
    for_people = [text for text, keep in zip(texts[: bought["by_people"]], kept, strict=False) if keep]
    for_model = [text for text, keep in zip(texts[bought["by_people"] :], reversed(kept), strict=False) if keep]
    story.random_pairs += [(text, expert.answer(seen[text]) or "") for text in for_people]
    settings = load_settings()
    replies = ask(stage.world_provider, settings.teacher_model, for_model, "random")
    story.random_pairs += [
        (text, reply.content)
        for text, reply in zip(for_model, replies, strict=True)
        if reply.content and (reply.confidence or 1.0) >= CorrectionPolicy().min_confidence
    ]
    model = train_on(stage.world_provider, story.random_pairs, settings.base_model)
    right = _graded(stage, world, model, story)
    interval = wilson(sum(right), len(right))
    story.random_turns.append(RandomTurn(turn, interval.estimate, interval.low, interval.high))
    return interval.estimate
