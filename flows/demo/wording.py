"""How the demo says its numbers: formats, text made safe to show, and the headline."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from flows.demo.results import DemoResult, Gain, RandomTurn, Turn

MISSING = "–"
# Control characters (a terminal obeys them), direction overrides (they turn the text after them around) and
# halves of surrogate pairs (they cannot be written as UTF-8).
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Verdict(StrEnum):
    """What the demo says about the loop."""

    HELPED = "helped"
    UNCLEAR = "unclear"
    HURT = "hurt"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Headline:
    """Did the loop help? In one sentence."""

    verdict: Verdict
    text: str


_OPENINGS = {
    Verdict.HELPED: "The loop helped",
    Verdict.HURT: "The loop made things worse",
    Verdict.UNCLEAR: "Whether the loop helped is not certain",
}


def safe(text: str) -> str:
    """Return text from logs with what a terminal or a browser would act on replaced by a visible mark."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text)


def shortened(text: str, most: int) -> str:
    """Return at most `most` characters; the lake has the whole text."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def words(name: str) -> str:
    """Return a snake_case name as words."""
    return name.replace("_", " ")


def is_number(value: float | None) -> bool:
    """Return whether there is a finite number to show."""
    return value is not None and math.isfinite(value)


def percent(share: float | None) -> str:
    """Return a share as a percentage with one decimal."""
    return f"{100 * share:.1f} %" if share is not None and math.isfinite(share) else MISSING


def percent_with_interval(turn: RandomTurn) -> str:
    """Return an accuracy with its 95 % interval, if it has one."""
    if not (is_number(turn.low) and is_number(turn.high)):
        return percent(turn.accuracy)
    return f"{percent(turn.accuracy)} ({percent(turn.low)} to {percent(turn.high)})"


def points(difference: float | None) -> str:
    """Return a difference of shares in percentage points, with its sign."""
    if difference is None or not math.isfinite(difference):
        return MISSING
    text = f"{100 * difference:+.1f}".replace("-", "\N{MINUS SIGN}")
    return text if text.strip("+\N{MINUS SIGN}") != "0.0" else "0.0"


def dollars(amount: float | None) -> str:
    """Return an amount in dollars, with as many decimals as a small one needs."""
    if amount is None or not math.isfinite(amount):
        return MISSING
    return f"${amount:,.2f}" if amount == 0 or abs(amount) >= 0.1 else f"${amount:.4f}"


def duration(seconds: float) -> str:
    """Return a duration in minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def span(low: float | None, high: float | None) -> str:
    """Return the 95 % interval of a difference in percentage points."""
    return f"{points(low)} to {points(high)}" if is_number(low) and is_number(high) else "interval unknown"


def difference_of(turn: Turn) -> float | None:
    """Return candidate minus production, or None where no candidate was measured."""
    return None if turn.candidate_accuracy is None else turn.candidate_accuracy - turn.production_accuracy


def headline(result: DemoResult) -> Headline:
    """Say whether the loop helped, with accuracy before and after and the interval of the difference."""
    if not result.turns:
        return Headline(Verdict.UNCHANGED, "The loop did not finish a turn, so there is nothing to compare.")
    promoted = [turn for turn in result.turns if turn.promoted]
    if not promoted:
        stays = percent(result.turns[0].production_accuracy)
        return Headline(
            Verdict.UNCHANGED, f"No candidate showed that it is better: production stays at {stays} accuracy."
        )
    gain, whose = _gain(result, promoted)
    before = gain.before if result.gain else result.turns[0].production_accuracy
    turns = f"{len(result.turns)} turns" if len(result.turns) > 1 else "one turn"
    verdict = _verdict(gain)
    return Headline(
        verdict,
        f"{_OPENINGS[verdict]}: accuracy went from {percent(before)} to {percent(gain.after)} in {turns}"
        f"{whose} {points(gain.after - gain.before)} points (95 % interval {span(gain.low, gain.high)}).",
    )


def _gain(result: DemoResult, promoted: Sequence[Turn]) -> tuple[Gain, str]:
    """Return the difference there is an interval for, and what it is the difference of."""
    if result.gain:
        return result.gain, ", a difference of"
    last = promoted[-1]
    after = last.production_accuracy + (difference_of(last) or 0.0)
    step = Gain(last.production_accuracy, after, last.difference_low, last.difference_high)
    return step, ", a difference of" if len(promoted) == 1 else "; the last promotion alone brought"


def _verdict(gain: Gain) -> Verdict:
    if gain.low is None or gain.high is None:
        return Verdict.UNCLEAR
    if gain.low > 0:
        return Verdict.HELPED
    return Verdict.HURT if gain.high < 0 else Verdict.UNCLEAR


def against_random(result: DemoResult) -> str | None:
    """Compare the last turn's candidate with the same budget spent at random; None if that was not done."""
    if not result.random_turns:
        return None
    last = result.random_turns[-1]
    if last.low is None or last.high is None:
        return f"The same budget spent on random examples reached {percent(last.accuracy)}."
    reached = next((turn.candidate_accuracy for turn in result.turns if turn.turn == last.turn), None)
    said = (
        f"The same budget spent on random examples reached {percent(last.accuracy)} "
        f"(95 % interval {percent(last.low)} to {percent(last.high)})"
    )
    if reached is None:
        return f"{said}."
    place = "above" if reached > last.high else "below" if reached < last.low else "inside"
    return f"{said}; the {percent(reached)} reached with hard examples is {place} that interval."
