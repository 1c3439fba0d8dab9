from collections import Counter

import numpy as np
import pytest

from flywheel.stats.collapse import (
    CorpusShape,
    anchor_share,
    collapse_reasons,
    coverage,
    depth_weight,
    entropy_drop,
    generation_depth,
    too_deep,
)

KINDS, ROWS = 1000, 2000


def test_anchor_share():
    assert anchor_share({"human": 25, "synthetic": 75}) == 0.25
    assert anchor_share({"human": 1, "human_corrected": 1, "synthetic": 2}, ("human", "human_corrected")) == 0.5
    assert anchor_share({}) == 0.0


@pytest.mark.parametrize(
    ("parents", "written_by_human", "depth"), [((), True, 0), ((), False, 1), ((0, 1), False, 2), ((3,), True, 0)]
)
def test_generation_depth(parents, written_by_human, depth):
    assert generation_depth(parents, written_by_human) == depth


def test_deep_rows_are_counted_and_weigh_less():
    assert too_deep({0: 10, 1: 5, 2: 3, 3: 2, 4: 1}) == 3
    assert [depth_weight(depth) for depth in (0, 1, 2)] == [1.0, 0.5, 0.25]


def test_coverage_forgives_what_may_be_missing_by_chance():
    before = {"refund": 50, "login": 10, "rare": 1}
    assert coverage(before, {"refund": 5}) == pytest.approx(1 / 3)
    assert coverage(before, {"refund": 5}, least_count=5) == 0.5


def test_entropy_drop():
    assert entropy_drop({"a": 5, "b": 5}, {"a": 10}) == pytest.approx(1.0)
    assert entropy_drop({"a": 10}, {"a": 5, "b": 5}) == 0.0


def shape(topics, human, depth=1):
    counts = {str(kind): count for kind, count in Counter(topics.tolist()).items()}
    made = len(topics) - human
    return CorpusShape(
        {"human": human, "synthetic": made}, counts, {"one": made // 2, "two": made // 2}, {depth: made}
    )


def zipf(rng):
    share = 1 / np.arange(1, KINDS + 1)
    return rng.choice(KINDS, ROWS, p=share / share.sum())


def generated(rng, data, temperature):
    """Sample what a model of `data` writes: its frequencies, sharpened when the temperature is below 1."""
    share = np.bincount(data, minlength=KINDS) ** (1 / temperature)
    return rng.choice(KINDS, ROWS, p=share / share.sum())


def reasons_over_rounds(policy, temperature, rounds=5):
    """Run the wheel of methods 7.3 and collect every round's reasons, only those about the distribution."""
    rng = np.random.default_rng(1)
    real = zipf(rng)
    data, anchor, found = real, shape(real, ROWS), set()
    previous = anchor
    for _ in range(rounds):
        fresh = generated(rng, data, temperature)
        data = policy(real, data, fresh)
        candidate = shape(data, len(data) // 2)
        found |= set(collapse_reasons(anchor, previous, candidate))
        previous = candidate
    return found


def replaced(real, data, fresh):
    return fresh


def accumulated(real, data, fresh):
    return np.concatenate([data, fresh])


def half_anchored(real, data, fresh):
    return np.concatenate([real, fresh])


@pytest.mark.parametrize(
    ("policy", "temperature", "reasons"),
    [
        (replaced, 1.0, {"entropy_dropped"}),
        (replaced, 0.8, {"coverage_lost", "entropy_dropped"}),
        (accumulated, 0.8, {"entropy_dropped"}),
        (accumulated, 1.0, set()),
        (half_anchored, 1.0, set()),
    ],
)
def test_the_guard_tells_healthy_wheels_from_collapsing_ones(policy, temperature, reasons):
    assert reasons_over_rounds(policy, temperature) == reasons


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (
            CorpusShape({"human": 20, "synthetic": 80}, {"a": 50, "b": 50}, {"x": 40, "y": 40}, {1: 80}),
            "anchor_share_low",
        ),
        (
            CorpusShape({"human": 50, "synthetic": 50}, {"a": 50, "b": 50}, {"x": 25, "y": 25}, {3: 1}),
            "generation_too_deep",
        ),
        (
            CorpusShape({"human": 30, "synthetic": 70}, {"a": 50, "b": 50}, {"x": 70}, {1: 70}),
            "one_teacher_family_dominates",
        ),
    ],
)
def test_each_bound_has_its_reason(candidate, reason):
    anchor = CorpusShape({"human": 100}, {"a": 50, "b": 50}, {}, {0: 100})
    assert collapse_reasons(anchor, anchor, candidate) == (reason,)
