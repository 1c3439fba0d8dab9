from dataclasses import replace
from datetime import date

import pytest

from flywheel.mine.lifecycle import Past, Status, is_over, status_when_seen

DAY = date(2026, 1, 10)
OPEN = Past(Status.OPEN, since=date(2026, 1, 1), last_seen=date(2026, 1, 9))


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        (None, Status.OPEN),
        (OPEN, Status.OPEN),
        (replace(OPEN, corrected_on=date(2026, 1, 5)), Status.CORRECTED),
        (replace(OPEN, corrected_on=date(2026, 1, 5), released_on=date(2026, 1, 4)), Status.CORRECTED),
        (replace(OPEN, corrected_on=date(2026, 1, 5), released_on=date(2026, 1, 5)), Status.RELEASED),
        (replace(OPEN, status=Status.CLOSED, corrected_on=date(2026, 1, 5)), Status.REGRESSED),
        (replace(OPEN, status=Status.REGRESSED), Status.REGRESSED),
        (
            replace(OPEN, status=Status.REGRESSED, since=date(2026, 1, 6), corrected_on=date(2026, 1, 5)),
            Status.REGRESSED,
        ),
        (
            replace(OPEN, status=Status.REGRESSED, since=date(2026, 1, 6), corrected_on=date(2026, 1, 7)),
            Status.CORRECTED,
        ),
    ],
)
def test_a_status_follows_from_what_happened(past: Past | None, expected: Status) -> None:
    assert status_when_seen(past) is expected


@pytest.mark.parametrize(("last_seen", "expected"), [(date(2026, 1, 3), True), (date(2026, 1, 4), False)])
def test_a_mode_is_over_after_a_week_without_it(last_seen: date, expected: bool) -> None:
    assert is_over(replace(OPEN, last_seen=last_seen), DAY, 7) is expected
    assert not is_over(replace(OPEN, last_seen=last_seen, status=Status.CLOSED), DAY, 7)
