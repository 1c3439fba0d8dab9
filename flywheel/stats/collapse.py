"""Guard a training set against collapse: models fed on models lose the tails first, then everything.

The guard needs both halves. Keeping all earlier data keeps rare kinds alive, but not their share: with a model that
favours the likely, entropy falls from 4.9 to 2.2 nats in 20 rounds while every kind is still there (methods 7.3).
A fixed share of human data keeps the share. So it looks at the anchor share, coverage and entropy together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flywheel.stats.diversity import entropy

HUMAN = "human"


@dataclass(frozen=True, slots=True)
class CollapsePolicy:
    """Bounds of methods 7.2. No source publishes universal values; these passed the simulations of 7.3."""

    least_anchor_share: float = 0.25
    # Depth 1 is a model's text from human parents; 2 is the default limit, 3 the hard one.
    deepest_generation: int = 2
    largest_family_share: float = 0.6
    least_coverage: float = 0.95
    largest_entropy_drop: float = 0.05
    # A kind seen fewer times may be missing by chance: with 5 expected, none come with probability e^-5.
    least_count_to_miss: int = 5


@dataclass(frozen=True, slots=True)
class CorpusShape:
    """What the guard needs to know of a training set, as counts.

    origins by origin ("human" is the anchor), topics by topic or slice, families by teacher family of the rows that
    have one, depths by generation depth.
    """

    origins: Mapping[str, int]
    topics: Mapping[str, int]
    families: Mapping[str, int]
    depths: Mapping[int, int]


DEFAULT_POLICY = CollapsePolicy()


def anchor_share(origins: Mapping[str, int], anchors: Sequence[str] = (HUMAN,)) -> float:
    """Return the share of rows (or tokens) of human origin, in [0, 1]; 0 for an empty set, which has no anchor."""
    total = sum(origins.values())
    return sum(origins.get(origin, 0) for origin in anchors) / total if total else 0.0


def generation_depth(parent_depths: Sequence[int], written_by_human: bool) -> int:
    """Return 0 for human text, else 1 + the deepest parent; a model's text without known parents has depth 1.

    A person's edit of a model's text is not human text here: pass False, and the depth of what was edited.
    """
    return 0 if written_by_human else 1 + max(parent_depths, default=0)


def depth_weight(depth: int) -> float:
    """Return the training weight of a row of this generation depth, 2^-depth (methods 7.2)."""
    return float(2.0**-depth)


def too_deep(depths: Mapping[int, int], deepest: int = DEFAULT_POLICY.deepest_generation) -> int:
    """Return how many rows are of a deeper generation than allowed."""
    return sum(count for depth, count in depths.items() if depth > deepest)


def coverage(before: Mapping[str, int], after: Mapping[str, int], least_count: int = 1) -> float:
    """Return the share of kinds with at least `least_count` rows before that still have any; 1 if there were none."""
    kinds = [kind for kind, count in before.items() if count >= least_count]
    return sum(after.get(kind, 0) > 0 for kind in kinds) / len(kinds) if kinds else 1.0


def entropy_drop(before: Mapping[str, int], after: Mapping[str, int]) -> float:
    """Return by what share the entropy over kinds fell, negative if it rose; 0 if there was none to lose."""
    known = entropy(list(before.values()))
    return 1 - entropy(list(after.values())) / known if known > 0 else 0.0


def largest_share(counts: Mapping[str, int]) -> float:
    """Return the share of the most frequent kind; 0 for an empty set."""
    total = sum(counts.values())
    return max(counts.values()) / total if total else 0.0


def collapse_reasons(
    anchor: CorpusShape, previous: CorpusShape, candidate: CorpusShape, policy: CollapsePolicy = DEFAULT_POLICY
) -> tuple[str, ...]:
    """Return why the candidate training set risks collapse, as snake_case reasons; none means it may pass.

    Coverage is against the previous version, entropy against the human anchor set: a slow loss hides between
    neighbouring versions, not from the start.
    """
    covered = coverage(previous.topics, candidate.topics, policy.least_count_to_miss)
    checks = {
        "anchor_share_low": anchor_share(candidate.origins) < policy.least_anchor_share,
        "generation_too_deep": too_deep(candidate.depths, policy.deepest_generation) > 0,
        "one_teacher_family_dominates": _teachers_share(candidate) > policy.largest_family_share,
        "coverage_lost": covered < policy.least_coverage,
        "entropy_dropped": entropy_drop(anchor.topics, candidate.topics) > policy.largest_entropy_drop,
    }
    return tuple(reason for reason, is_broken in checks.items() if is_broken)


def _teachers_share(shape: CorpusShape) -> float:
    """Return the largest teacher family's share of all rows, human ones included."""
    total = sum(shape.origins.values())
    return max(shape.families.values(), default=0) / total if total else 0.0
