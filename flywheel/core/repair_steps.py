"""What a repair did, would do or has to leave, in one shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from flywheel.core.findings import Finding


class State(StrEnum):
    """What became of something a check found."""

    DONE = "done"
    PLANNED = "planned"  # a dry run: without it, it would be done
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a repair did or left; what `flywheel lake repair --json` prints."""

    state: State
    object: str
    what: str
    what_to_do: str = ""
    is_fault: bool = False  # left, and rows or files are lost or wrong


@dataclass(frozen=True, slots=True)
class RepairPolicy:
    """How far a repair goes."""

    # Whoever writes a file commits it within minutes; a day is what purge.py waits for on Postgres as well.
    strays_older_than: timedelta = timedelta(days=1)
    is_deep: bool = False
    is_dry_run: bool = False
    parameters: Mapping[str, float] = field(default_factory=dict)  # of queries that build tables

    def finished(self, name: str, what: str) -> Step:
        """Return the step for something that was done, or would be without a dry run."""
        return Step(State.PLANNED if self.is_dry_run else State.DONE, name, what)


def left(finding: Finding, what_to_do: str = "") -> Step:
    """Return the step for something that stays as the check found it."""
    what = f"{finding.kind}: {finding.found}, not {finding.expected}"
    return Step(State.LEFT, finding.object, what, what_to_do or finding.what_to_do, finding.kind.is_fault)
