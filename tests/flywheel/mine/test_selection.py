"""Greedy choice: as good as looking at everything each time, and hard, spread out and worth many."""

import numpy as np
import pytest
from numpy.typing import NDArray

from flywheel.mine.selection import Pool, SelectionPolicy, choose, hardness_of
from flywheel.mine.selection_pool import resemblance, with_kinship

POLICY = SelectionPolicy()
ALIKE = np.array([[1, 0.9, 0.1], [0.9, 1, 0.1], [0.1, 0.1, 1]], dtype=np.float32)


def pool(similarity: NDArray[np.float32], **changes: list[float]) -> Pool:
    size = len(similarity)
    given = {"covered": [0.0] * size, "hardness": [0.5] * size, "weight": [1.0] * size} | changes
    return Pool(similarity, **{name: np.array(values, dtype=np.float64) for name, values in given.items()})


def random_pool(seed: int, size: int = 60) -> Pool:
    rng = np.random.default_rng(seed)
    rows = rng.random((size, 5))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return pool(
        np.minimum(rows @ rows.T, 1).astype(np.float32),
        hardness=rng.random(size).tolist(),
        weight=(1 + rng.random(size)).tolist(),
        covered=(0.5 * rng.random(size)).tolist(),
    )


def by_looking_at_all(pool: Pool, count: int) -> list[int]:
    """Choose without any shortcut."""
    covered = pool.covered.astype(np.float32)
    places: list[int] = []
    for _ in range(count):
        gains = np.maximum(pool.similarity - covered, 0) @ (pool.weight * pool.hardness)
        gains *= pool.hardness**POLICY.own_share
        gains[places] = -1
        places.append(int(gains.argmax()))
        covered = np.maximum(covered, pool.similarity[places[-1]])
    return places


@pytest.mark.parametrize("seed", range(5))
def test_lazy_choice_is_the_greedy_choice(seed: int) -> None:
    given = random_pool(seed)
    assert choose(given, 25, POLICY).places.tolist() == by_looking_at_all(given, 25)


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({}, [0, 2]),  # two that say the same are one problem
        ({"hardness": [0.5, 0.6, 0.5]}, [1, 2]),  # of twins the harder one
        ({"hardness": [0.5, 0.5, 0.05]}, [0, 1]),  # what hardly failed is not chosen for being different
        ({"weight": [1, 1, 5]}, [2, 0]),  # what stands for many comes first
        ({"covered": [0.95, 0.95, 0]}, [2, 0]),  # what was corrected before has little left to teach
    ],
)
def test_what_is_chosen_is_hard_different_and_worth_many(changes: dict[str, list[float]], places: list[int]) -> None:
    assert choose(pool(ALIKE, **changes), 2, POLICY).places.tolist() == places


def test_distance_is_to_the_nearest_one_chosen_before() -> None:
    chosen = choose(pool(ALIKE, covered=[0, 0, 0.25]), 3, POLICY)
    assert chosen.places.tolist() == [0, 2, 1]
    assert chosen.distance.tolist() == pytest.approx([1, 0.75, 0.1], abs=1e-6)


@pytest.mark.parametrize(("size", "count", "chosen"), [(0, 5, 0), (3, 0, 0), (3, 5, 3)])
def test_no_more_is_chosen_than_there_is_and_than_was_asked_for(size: int, count: int, chosen: int) -> None:
    assert len(choose(pool(ALIKE[:size, :size]), count, POLICY).places) == chosen


def test_everything_is_chosen_even_what_adds_nothing() -> None:
    same = pool(np.ones((3, 3), dtype=np.float32), hardness=[0, 0.5, 0.5])
    assert sorted(choose(same, 3, POLICY).places.tolist()) == [0, 1, 2]


def test_hardness_is_mostly_how_surely_it_failed() -> None:
    hardness = hardness_of(np.array([1, 0.9, 0.5]), np.array([1, 0.5, 0.1]))
    assert hardness.tolist() == pytest.approx([1, 0.78, 0.38])


def test_likeness_is_by_words_and_by_letters_where_asked_for() -> None:
    texts = ["my card was stolen", "my cards were stolen", "exchange rate"]
    words, _ = resemblance(texts, [])
    letters, _ = resemblance(texts, [], letters_share=1.0)
    assert letters[0, 1] > words[0, 1] > words[0, 2] == 0
    half, _ = resemblance(texts, [], letters_share=0.5)
    assert half[0, 1] == pytest.approx((words[0, 1] + letters[0, 1]) / 2)


def test_likeness_to_others_and_to_nothing() -> None:
    among, between = resemblance(["a b", ""], ["A b!", "c"])
    assert between.round(5).tolist() == [[1, 0], [0, 0]]
    assert among.round(5).tolist() == [[1, 0], [0, 1]]  # a text without words still resembles itself
    assert resemblance([], ["a"])[1].shape == (0, 1)


def test_failures_of_one_mode_are_kin_whatever_their_words() -> None:
    kin = with_kinship(np.eye(3, dtype=np.float32), np.array([1, 1, 2]), 0.3)
    assert kin == pytest.approx(np.array([[1, 0.3, 0], [0.3, 1, 0], [0, 0, 1]]))
