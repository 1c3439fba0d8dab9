"""What `--at` may name, and which version of the lake that is.

    12                                      the lake's version 12
    release:3, release:latest, prod-2026-11 the version a release was made of, by its number or a tag of it
    2026-03-01                              the newest version when that UTC day was over
    2026-03-01T12:00:00Z                    the newest version at that time; without a zone it is UTC

Tags begin with a letter, so nothing is two of these at once.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from flywheel.core.errors import UnknownMoment

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:.*")
_RELEASE = re.compile(r"release:([A-Za-z0-9][A-Za-z0-9._-]*)|([A-Za-z][A-Za-z0-9._-]*)")
_FORMS = (
    "expected a version of the lake (12), a release or tag (release:3, latest) or a time (2026-03-01, "
    "2026-03-01T12:00:00Z)"
)
_ALMOST_A_DAY = timedelta(days=1) - timedelta(microseconds=1)  # versions are dated to the microsecond


@dataclass(frozen=True, slots=True)
class AtVersion:
    """A version of the lake by its number."""

    text: str
    number: int


@dataclass(frozen=True, slots=True)
class AtRelease:
    """The version a release was made of, by the release's number or a tag."""

    text: str
    name: str


@dataclass(frozen=True, slots=True)
class AtTime:
    """The newest version at the end of a stretch of time; a point in time begins where it ends."""

    text: str
    begins_at: datetime
    ends_at: datetime


Moment: TypeAlias = AtVersion | AtRelease | AtTime


@dataclass(frozen=True, slots=True)
class LakeVersion:
    """One version of the lake."""

    number: int
    made_at: datetime


def read_moment(text: str) -> Moment:
    """Return what a text names; whether there is such a version is `pick_version`'s question.

    Raises:
        UnknownMoment: it has none of the forms.

    """
    if re.fullmatch(r"[0-9]+", text):
        return AtVersion(text, int(text))
    release = _RELEASE.fullmatch(text)
    if release:
        return AtRelease(text, release[1] or release[2])
    try:
        if _DAY.fullmatch(text):
            begins_at = datetime.fromisoformat(text).replace(tzinfo=UTC)
            return AtTime(text, begins_at, begins_at + _ALMOST_A_DAY)
        if _TIME.fullmatch(text):
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return AtTime(text, moment, moment)
    except ValueError as wrong:
        raise UnknownMoment(text, f"{str(wrong).rstrip('.')}; {_FORMS}") from wrong
    raise UnknownMoment(text, _FORMS)


def pick_version(moment: AtVersion | AtTime, versions: Sequence[LakeVersion], now: datetime) -> int:
    """Return the number of the version that was the newest at a moment.

    A moment that has not begun is refused: whoever mistypes a year should not read the newest version unawares.

    Args:
        moment: what was asked for.
        versions: all that there are, oldest first.
        now: when it was asked.

    Raises:
        UnknownMoment: there is no such version: it never was, was removed, or that time has not come.

    """
    if not versions:
        raise UnknownMoment(moment.text, "there is no lake yet")
    if isinstance(moment, AtVersion):
        if moment.number not in {version.number for version in versions}:
            raise UnknownMoment(
                moment.text,
                f"version {moment.number} is not there, it never was or was removed; there are {_ranges(versions)}",
            )
        return moment.number
    if moment.begins_at > now:
        raise UnknownMoment(moment.text, f"it has not come, now is {_told(now)}")
    past = [version.number for version in versions if version.made_at <= moment.ends_at]
    if not past:
        oldest = versions[0]
        raise UnknownMoment(
            moment.text, f"its versions begin at {_told(oldest.made_at)} with version {oldest.number}"
        )
    return max(past)


def _told(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _ranges(versions: Sequence[LakeVersion]) -> str:
    """Return numbers as ranges: 0-3, 7, 9-12."""
    ranges: list[list[int]] = []
    for number in sorted(version.number for version in versions):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
