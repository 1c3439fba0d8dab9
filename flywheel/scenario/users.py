"""The people around the simulated product: who complains, rephrases, says nothing, and who attacks."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flywheel.scenario.traffic import Json, stamp

_COMPLAINTS = (
    "wrong queue again", "this is not what I asked", "I was sent to the wrong team", "useless",
    "no, please read it", "third time I explain this", "not my problem at all", "that makes no sense",
)  # fmt: skip
_PRAISE = ("perfect, thanks", "that was quick", "right team, thank you", "great")
# (kind, share of users, how many times as often as the average they complain); the same for persistence below.
# Shares times factors add up to 1, so the rates in Habits are the rates of the whole product.
_KINDS = (("silent", 0.4, 0.0), ("ordinary", 0.4, 1.0), ("complainer", 0.2, 3.0))
_PERSISTENCE = ((0.5, 0.0), (0.5, 2.0))  # independent of complaining: asking again is not scolding
_CLIENTS = ("app-web", "app-ios", "app-android")


@dataclass(frozen=True, slots=True)
class Attack:
    """Describe attackers who push one wrong label: their share of traffic and how many they are."""

    label: str
    share: float = 0.02
    user_count: int = 3


@dataclass(frozen=True, slots=True)
class Habits:
    """Say how users and the product behave; every rate is a share of the calls its name is about.

    Feedback on LLM products is rare and lopsided: most users say nothing, and a thumb is noisy both ways.
    The numbers are assumptions of the scenario, chosen so that no single signal finds all failures.
    """

    user_count: int = 400
    thumbs_down_on_wrong: float = 0.25
    thumbs_down_on_right: float = 0.02
    thumbs_up_on_right: float = 0.06
    thumbs_up_on_wrong: float = 0.01
    comment_on_thumb: float = 0.2
    edit_on_wrong: float = 0.05
    edit_is_wrong: float = 0.1
    outcome_coverage: float = 0.5
    outcome_noise: float = 0.05
    rephrase_on_wrong: float = 0.3
    follow_up_on_right: float = 0.02
    max_turns: int = 3
    error_rate: float = 0.01
    refusal_rate: float = 0.01
    json_share: float = 0.05
    broken_json_rate: float = 0.3  # of the calls that ask for JSON
    pii_rate: float = 0.01  # on top of what the queries carry
    attack: Attack | None = None


@dataclass(frozen=True, slots=True)
class User:
    """Hold one lasting user, who complains `voice` and asks again `persistence` times as often as the average."""

    user_id: str
    kind: str
    voice: float
    persistence: float
    client_id: str
    is_attacker: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """Hold what a user saw of one call: the right answer, whether the call failed, when, and who looked."""

    expected: str
    is_failure: bool
    at: datetime
    user: User


def population(habits: Habits, seed: int) -> list[User]:
    """Return the product's users, the same on every day of one seed."""
    rng = random.Random(f"users:{seed}")
    kinds = [(kind, voice) for kind, share, voice in _KINDS for _ in range(round(share * habits.user_count))]
    persistences = [factor for share, factor in _PERSISTENCE for _ in range(round(share * habits.user_count))]
    rng.shuffle(kinds)
    rng.shuffle(persistences)
    return [
        User(f"u-{number:04d}", kind, voice, persistence, rng.choice(_CLIENTS))
        for number, ((kind, voice), persistence) in enumerate(zip(kinds, persistences, strict=False))
    ]


def attackers(attack: Attack) -> list[User]:
    """Return the users who push the attack's label."""
    return [
        User(f"u-66{number}", "attacker", 1.0, 0.0, "app-web", True) for number in range(6, 6 + attack.user_count)
    ]


def feedback_on(seen: Seen, labels: Sequence[str], habits: Habits, rng: random.Random) -> list[Json]:
    """Return what was said about one call: thumb, comment, edit and outcome, each of them rare and noisy."""
    if seen.user.is_attacker and habits.attack:
        return [_said("thumb", seen, value=-1), _said("edit", seen, text=habits.attack.label)]
    said = _thumbs(seen, habits, rng)
    if said and rng.random() < habits.comment_on_thumb:
        words = _COMPLAINTS if said[0]["value"] == -1 else _PRAISE
        said.append(_said("comment", seen, text=rng.choice(words)))
    if seen.is_failure and rng.random() < habits.edit_on_wrong:
        said.append(_edit(seen, labels, habits, rng))
    if rng.random() < habits.outcome_coverage:
        is_resolved = seen.is_failure == (rng.random() < habits.outcome_noise)
        late = _later(seen, rng.randrange(300, 3600), "crm")
        said.append(_said("outcome", late, value=int(is_resolved)))
    return said


def _thumbs(seen: Seen, habits: Habits, rng: random.Random) -> list[Json]:
    down = habits.thumbs_down_on_wrong if seen.is_failure else habits.thumbs_down_on_right
    up = habits.thumbs_up_on_wrong if seen.is_failure else habits.thumbs_up_on_right
    if rng.random() < down * seen.user.voice:
        return [_said("thumb", _later(seen, rng.randrange(3, 60)), value=-1)]
    if rng.random() < up:
        return [_said("thumb", _later(seen, rng.randrange(3, 60)), value=1)]
    return []


def _edit(seen: Seen, labels: Sequence[str], habits: Habits, rng: random.Random) -> Json:
    others = [label for label in labels if label != seen.expected]
    is_wrong = bool(others) and rng.random() < habits.edit_is_wrong
    text = rng.choice(others) if is_wrong else seen.expected
    return _said("edit", _later(seen, rng.randrange(60, 900), f"agent-{rng.randrange(12):02d}"), text=text)


def _later(seen: Seen, seconds: int, user_id: str | None = None) -> Seen:
    user = replace(seen.user, user_id=user_id) if user_id else seen.user
    return replace(seen, at=seen.at + timedelta(seconds=seconds), user=user)


def _said(kind: str, seen: Seen, *, value: int | None = None, text: str | None = None) -> Json:
    at = stamp(seen.at)
    return {"kind": kind, "value": value, "text": text, "user": seen.user.user_id, "occurred_at": at}
