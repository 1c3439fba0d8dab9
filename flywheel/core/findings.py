"""What a check of the lake can find, in one shape."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is wrong with an object, worst first."""

    MISSING = "missing"  # named, and not there
    SIZE = "size"  # as many bytes as it should not have
    UNREADABLE = "unreadable"  # not what its name says it is
    ROWS = "rows"  # not as many rows as the catalog says
    CORRUPTED = "corrupted"  # not the bytes it had
    TAG = "tag"  # points at no release
    ORPHANED = "orphaned"  # there, and not named
    UNFINISHED = "unfinished"  # a publish that died after it claimed its version
    STAGED = "staged"  # files of a publish that is over
    OUTSIDE = "outside"  # named, and nowhere we look
    UNCOMPACTED = "uncompacted"  # nothing is wrong, `flywheel lake compact` has something to do

    @property
    def is_fault(self) -> bool:
        """Whether rows or files are lost or wrong; what is no fault can wait."""
        return self not in _HARMLESS


_HARMLESS = frozenset({Kind.ORPHANED, Kind.UNFINISHED, Kind.STAGED, Kind.OUTSIDE, Kind.UNCOMPACTED})


@dataclass(frozen=True, slots=True)
class Finding:
    """One object that is not as it should be; what `flywheel lake check --json` prints."""

    kind: Kind
    object: str
    expected: str
    found: str
    what_to_do: str
