"""What state a mode is in: a table of transitions, so that every status has one reason.

open       -> corrected   a correction of one of its failures was accepted
corrected  -> released    a release passed its gate on the day of that correction or later
any        -> closed      no failure of it for `closed_after_days`
closed     -> regressed   it is back
regressed  -> corrected   a correction was accepted after it came back
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Status(StrEnum):
    """Where a mode is on its way out."""

    OPEN = "open"
    CORRECTED = "corrected"
    RELEASED = "released"
    CLOSED = "closed"
    REGRESSED = "regressed"


@dataclass(frozen=True, slots=True)
class Past:
    """What is known about a mode from before the day."""

    status: Status
    since: date  # the first day of that status, without a break
    last_seen: date
    corrected_on: date | None = None  # the newest accepted correction
    released_on: date | None = None  # the newest release that passed its gate


def status_when_seen(past: Past | None) -> Status:
    """Return the status of a mode that has failures today."""
    if past is None:
        return Status.OPEN
    if past.status is Status.CLOSED:
        return Status.REGRESSED
    if past.status is Status.REGRESSED and (past.corrected_on is None or past.corrected_on < past.since):
        return Status.REGRESSED
    if past.corrected_on is None:
        return Status.OPEN
    is_released = past.released_on is not None and past.released_on >= past.corrected_on
    if past.status is Status.REGRESSED:
        is_released = is_released and past.released_on is not None and past.released_on > past.since
    return Status.RELEASED if is_released else Status.CORRECTED


def is_over(past: Past, day: date, closed_after_days: int) -> bool:
    """Whether a mode without failures today counts as closed from today on."""
    return past.status is not Status.CLOSED and day - past.last_seen >= timedelta(days=closed_after_days)
