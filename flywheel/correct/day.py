"""One day of correction: work goes out, answers come in, and what is fit to learn from becomes corrections."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime

import polars as pl

from flywheel.core.examples import examples_of
from flywheel.core.ids import content_id
from flywheel.core.lake import Lake
from flywheel.core.records import Answer, HardExample, Purpose, Route
from flywheel.correct.correctors import Corrector
from flywheel.correct.inbox import RefusedOffer


@dataclass(frozen=True, slots=True)
class CorrectionPolicy:
    """When an answer may become a correction."""

    min_confidence: float = 0.7  # of its own answer; below, teachers were right on hard examples less often than not
    min_agreement: float = 0.6  # lower end of Wilson's interval of agreement with people


# in this order: each reads what the one before made
STEPS = ("judgements", "corrector_trust", "answer_verdicts", "corrections", "preferences", "audits")
_REFUSALS = ("unparsed", "low_confidence", "answered_before")
_ASKED = "select example_id from routes where day = $day and (route = $human or audit)"


def examples_for_people(lake: Lake, day: date) -> list[HardExample]:
    """Return what people are asked: their own route, the audits and the overlap with the models."""
    asked = set(lake.frame(_ASKED, day=day, human=Route.HUMAN.value)["example_id"])
    return [example for example in examples_of(lake, day) if example.example_id in asked]


def examples_for_models(lake: Lake, day: date) -> list[HardExample]:
    """Return what models are asked: every hard example that has an answer to correct.

    Models also answer what people answer: that is how their trust is measured, on the examples that count.
    """
    return [e for e in examples_of(lake, day) if e.purpose is Purpose.HARD and e.rejected is not None]


def collect_answers(lake: Lake, day: date, correctors: Sequence[Corrector], run_id: str = "") -> int:
    """Land whatever has arrived from all correctors into `answers`; return how many were new."""
    rows = [_row(answer, day) for corrector in correctors for answer in corrector.collect()]
    return lake.land("answers", lake.typed("answers", rows), run_id)


def accept_answers(lake: Lake, day: date, policy: CorrectionPolicy, run_id: str = "") -> dict[str, int]:
    """Judge the answers against people's, build corrections and audits, quarantine refusals; return the verdicts.

    A refused answer stays an answer: it is the correction it would have become that goes to quarantine, so that
    judging the day again finds what the first time found.
    """
    for table in STEPS:
        lake.build(table, day, run_id, min_confidence=policy.min_confidence, min_agreement=policy.min_agreement)
    verdicts = lake.frame("select answer_id, verdict from answer_verdicts where day = $day", day=day)
    refused = verdicts.filter(pl.col("verdict").is_in(_REFUSALS))
    lake.land("quarantine", lake.typed("quarantine", _refusals(refused, day)), run_id)
    return dict(verdicts.group_by("verdict").len().sort("verdict").iter_rows())


def quarantine_offers(lake: Lake, source: str, refused: Iterable[RefusedOffer], now: datetime) -> int:
    """Keep the lines of an answers file that were no answers, with their reason; return how many were new."""
    rows = [
        _quarantined(now.date(), content_id(source, offer.line, offer.raw), None, offer.reason, now)
        | {"source_file": source, "source_line": offer.line, "raw": offer.raw[:10_000]}
        for offer in refused
    ]
    return lake.land("quarantine", lake.typed("quarantine", rows))


def _refusals(refused: pl.DataFrame, day: date) -> list[dict[str, object]]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return [
        _quarantined(day, content_id("answers", answer_id, verdict), answer_id, verdict, midnight)
        | {"table_name": "corrections"}
        for answer_id, verdict in refused.iter_rows()
    ]


def _quarantined(day: date, key: str, refused_id: str | None, reason: str, at: datetime) -> dict[str, object]:
    return {
        "day": day,
        "quarantine_id": key,
        "table_name": "answers",
        "refused_id": refused_id,
        "reason": reason,
        "quarantined_at": at,
    }


def _row(answer: Answer, day: date) -> dict[str, object]:
    said = (answer.example_id, answer.corrector, answer.output, answer.input, answer.rejected)
    return asdict(answer) | {
        "day": day,
        "answer_id": content_id(*said),
        "author_kind": answer.author_kind.value,
    }
