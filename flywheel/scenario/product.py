"""The product around a model: users who ask, get an answer from the real model, and react to it.

The model is called through a callback, so what the simulation logs is what the model really says; the
simulation adds people, trouble (timeouts, refusals, broken JSON) and feedback, and keeps the truth apart.
Every call draws from its own random source, so a better model changes only the calls it answers better.
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias

from flywheel.core.errors import UsageError
from flywheel.scenario.bank import SYSTEM_PROMPT
from flywheel.scenario.query import Query
from flywheel.scenario.traffic import Call, DayOfTraffic, FailureMode, Fault, Json, Reply, Truth, record_of
from flywheel.scenario.users import Habits, Seen, User, attackers, feedback_on, population
from flywheel.scenario.wording import rephrase, with_pii

Answer: TypeAlias = Callable[[list[str]], Sequence[Reply]]

WORKLOAD_ID = "support-router"
REFUSALS = (
    "I'm sorry, I can't help with that.",
    "I cannot assist with this request.",
    "Sorry, I'm unable to help.",
)
_FAULTS = (
    (Fault("timeout", "the model did not answer within 30 s"), 30_000),
    (Fault("rate_limit_exceeded", "429: too many requests"), 40),
    (Fault("server_error", "503: the model is overloaded"), 900),
)
_RETRY_ON_ERROR = 0.6  # people press the button again more readily than they rephrase


@dataclass(frozen=True, slots=True)
class _Day:
    labels: Sequence[str]
    habits: Habits
    prefix: str  # seed and day: makes ids and random sources unique


@dataclass(frozen=True, slots=True)
class _Visit:
    asked: str  # what opened the conversation
    text: str
    intent: str
    user: User
    conversation_id: str
    turn: int
    at: datetime


@dataclass(slots=True)
class _Round:
    turns: list[tuple[Json, Truth]] = field(default_factory=list)
    again: list[_Visit] = field(default_factory=list)


def simulate_day(queries: Sequence[Query], day: date, answer: Answer, habits: Habits, seed: int) -> DayOfTraffic:
    """Return one day of traffic: each query opens a conversation, and some of those go on for more turns.

    `answer` is called once per round of turns with all texts and returns one reply per text, in order.
    Raises UsageError if it returns another number of replies.
    """
    today = _Day(sorted({query.intent for query in queries}), habits, f"{seed}:{day}")
    visits = _openings(queries, day, population(habits, seed), today)
    turns: list[tuple[Json, Truth]] = []
    while visits:
        done = _answered(visits, answer, today)
        turns += done.turns
        visits = done.again
    turns.sort(key=lambda turn: str(turn[0]["timestamp"]))
    return DayOfTraffic([record for record, _ in turns], [truth for _, truth in turns])


def _openings(queries: Sequence[Query], day: date, users: Sequence[User], today: _Day) -> list[_Visit]:
    visits = []
    attack = today.habits.attack
    for number, query in enumerate(queries):
        conversation_id = f"c-{day:%Y%m%d}-{number:05d}"
        rng = random.Random(f"open:{today.prefix}:{conversation_id}")
        is_attack = attack is not None and rng.random() < attack.share
        user = rng.choice(attackers(attack) if attack and is_attack else users)
        adds_pii = not query.has_pii and rng.random() < today.habits.pii_rate
        text = with_pii(query.text, rng) if adds_pii else query.text
        visits.append(_Visit(text, text, query.intent, user, conversation_id, 0, _arrival(day, rng)))
    return visits


def _arrival(day: date, rng: random.Random) -> datetime:
    """Two humps, late morning and afternoon; none after 22:00, so that follow-ups stay within the day."""
    hour = rng.gauss(10.5, 1.8) if rng.random() < 0.55 else rng.gauss(16.0, 2.2)
    midnight = datetime.combine(day, time(), UTC)
    return midnight + timedelta(microseconds=int(min(max(hour, 0.1 + rng.random()), 21.0 + rng.random()) * 3.6e9))


def _answered(visits: Sequence[_Visit], answer: Answer, today: _Day) -> _Round:
    replies = answer([visit.text for visit in visits])
    if len(replies) != len(visits):
        raise UsageError(
            f"answer() returned {len(replies)} replies for {len(visits)} texts; "
            "it has to return one per text, in order."
        )
    done = _Round()
    for visit, reply in zip(visits, replies, strict=True):
        rng = random.Random(f"turn:{today.prefix}:{visit.conversation_id}:{visit.turn}")
        call, truth = _call(visit, reply, today, rng)
        finished_at = call.started_at + timedelta(milliseconds=call.reply.latency_ms)
        seen = Seen(visit.intent, truth.is_failure, finished_at, visit.user)
        done.turns.append((record_of(call, feedback_on(seen, today.labels, today.habits, rng)), truth))
        done.again += _next_turn(visit, truth, seen, today.habits)
    return done


def _call(visit: _Visit, reply: Reply, today: _Day, rng: random.Random) -> tuple[Call, Truth]:
    wants_json = rng.random() < today.habits.json_share
    given, planted = _with_trouble(reply, wants_json, today.habits, rng)
    call = Call(
        key=f"{today.prefix}:{visit.conversation_id}:{visit.turn}",
        workload_id=WORKLOAD_ID,
        client_id=visit.user.client_id,
        conversation_id=visit.conversation_id,
        user=visit.user.user_id,
        started_at=visit.at,
        system_prompt=SYSTEM_PROMPT,
        text=visit.text,
        reply=given,
        wants_json=wants_json,
    )
    mode = planted or (None if reply.content == visit.intent else FailureMode.WRONG_LABEL)
    answered = None if planted else reply.content
    is_poisoned = visit.user.is_attacker
    truth = Truth(
        call.request_id,
        call.response_id,
        visit.text,
        visit.intent,
        answered,
        mode is not None,
        mode,
        is_poisoned,
    )
    return call, truth


def _with_trouble(
    reply: Reply, wants_json: bool, habits: Habits, rng: random.Random
) -> tuple[Reply, FailureMode | None]:
    if reply.error:
        return reply, FailureMode.ERROR
    draw = rng.random()
    if draw < habits.error_rate:
        fault, latency_ms = rng.choice(_FAULTS)
        return replace(reply, error=fault, latency_ms=latency_ms, confidence=None), FailureMode.ERROR
    if draw < habits.error_rate + habits.refusal_rate:
        return replace(reply, content=rng.choice(REFUSALS), confidence=None), FailureMode.REFUSAL
    if not wants_json:
        return reply, None
    if rng.random() < habits.broken_json_rate:
        return _broken_json(reply, rng), FailureMode.BROKEN_JSON
    return replace(reply, content=json.dumps({"queue": reply.content}), confidence=None), None


def _broken_json(reply: Reply, rng: random.Random) -> Reply:
    label = reply.content
    content, finish_reason = rng.choice(
        (
            (f'{{"queue": "{label[: max(1, len(label) // 2)]}', "length"),
            (f'Sure! Here is the queue: {{"queue": "{label}"}}', "stop"),
            (f"{{'queue': '{label}'}}", "stop"),
            (f'{{"queue": "{label}",}}', "stop"),
            (f'```json\n{{"queue": "{label}"}}\n```', "stop"),
        )
    )
    return replace(reply, content=content, finish_reason=finish_reason, confidence=None)


def _next_turn(visit: _Visit, truth: Truth, seen: Seen, habits: Habits) -> list[_Visit]:
    rng = random.Random(f"again:{truth.request_id}")
    is_error = truth.failure_mode is FailureMode.ERROR
    rate = habits.rephrase_on_wrong if truth.is_failure else habits.follow_up_on_right
    goes_on = rng.random() < (_RETRY_ON_ERROR if is_error else rate * visit.user.persistence)
    if visit.user.is_attacker or visit.turn + 1 >= habits.max_turns or not goes_on:
        return []
    text = visit.text if is_error else rephrase(visit.asked, rng)
    at = seen.at + timedelta(seconds=rng.randrange(8, 180), microseconds=rng.randrange(10**6))
    return [replace(visit, text=text, turn=visit.turn + 1, at=at)]
