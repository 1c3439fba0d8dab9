import numpy as np
import pytest

from flywheel.mine.identity import matched, overlap, twins
from flywheel.mine.modes import Grouping, ModePolicy, group_notes, trend_of, unit

NOBODY = np.empty((0, 8), np.float32)


def vectors(*places: int) -> np.ndarray:
    """Return unit vectors along the axes that are named."""
    return np.eye(8, dtype=np.float32)[list(places)]


def grouped(found: Grouping) -> tuple[list[int], list[int]]:
    return found.known.tolist(), found.fresh.tolist()


def test_notes_join_the_known_mode_that_is_nearest() -> None:
    found = group_notes(vectors(1, 0, 1), vectors(0, 1), ModePolicy())
    assert grouped(found) == ([1, 0, 1], [-1, -1, -1])
    assert found.similarity.tolist() == [1, 1, 1]


def test_a_note_joins_from_the_bound_on() -> None:
    bound = 0.25
    notes = np.array([[bound, *[0] * 6, np.sqrt(1 - bound**2)], [0.24, *[0] * 6, 0.97]], np.float32)
    assert group_notes(notes, vectors(0), ModePolicy(same_mode=bound)).known.tolist() == [0, -1]


def test_repeats_of_a_mode_join_it_from_half_the_bound_on() -> None:
    near = np.array([[0.15, 0.99, *[0] * 6]], np.float32)
    votes = np.array([0])
    assert group_notes(near, vectors(0, 1), ModePolicy(), votes).known.tolist() == [0]
    assert group_notes(near, vectors(2, 1), ModePolicy(), votes).known.tolist() == [1]
    assert group_notes(near, vectors(0, 1), ModePolicy(), np.array([-1])).known.tolist() == [1]


def test_what_fits_no_known_mode_is_clustered_anew() -> None:
    found = group_notes(vectors(*[0] * 3, *[1] * 8, *[2] * 8), vectors(0), ModePolicy())
    known, fresh = grouped(found)
    assert known == [0] * 3 + [-1] * 16
    assert len({*fresh[3:11]}) == len({*fresh[11:]}) == 1
    assert fresh[3] != fresh[11]
    assert found.centroids.shape == (2, 8)
    assert found.similarity[3:].tolist() == pytest.approx([1] * 16)


def test_fewer_than_the_smallest_are_no_mode() -> None:
    found = group_notes(vectors(0, 0), NOBODY, ModePolicy(smallest=3))
    assert grouped(found) == ([-1, -1], [-1, -1])
    assert len(found.centroids) == 0


def test_failures_with_nothing_in_common_are_no_mode() -> None:
    assert group_notes(vectors(0, 1, 2, 3), NOBODY, ModePolicy()).fresh.tolist() == [-1] * 4


def test_more_kinds_than_modes_are_joined_small_ones_first() -> None:
    found = group_notes(vectors(*[0] * 30, *[1] * 30, *[2] * 4, *[3] * 4), NOBODY, ModePolicy(most_modes=3))
    assert len(found.centroids) == 3
    assert found.fresh[60] == found.fresh[64]
    assert len({found.fresh[0], found.fresh[30], found.fresh[60]}) == 3


def test_a_day_that_fits_badly_is_grouped_anew_and_keeps_the_ids_of_what_is_still_there() -> None:
    notes = vectors(*[0] * 10, *[1] * 10, *[2] * 10)
    found = group_notes(notes, vectors(1, 0), ModePolicy(most_modes=2))
    assert found.known[:10].tolist() == [1] * 10
    assert len(set(found.known[found.known >= 0].tolist())) == 2


def test_a_part_that_left_a_mode_is_split_from_it() -> None:
    mixed = np.array([unit(vectors(0)[0] + vectors(1)[0]), vectors(2)[0]], np.float32)
    found = group_notes(vectors(*[0] * 20, *[1] * 20, *[2] * 4, *[5] * 8), mixed, ModePolicy(most_modes=2))
    kept, left = found.known[:40].reshape(2, 20), found.fresh[:40].reshape(2, 20)
    assert sorted([set(part.tolist()) for part in kept], key=min) == [{-1}, {0}]
    assert found.split_from.tolist() == [0]
    assert (left >= 0).sum() == 20


def test_a_mode_whose_members_went_to_another_is_merged_into_it() -> None:
    found = group_notes(vectors(*[0] * 20, *[1] * 4, *[5] * 30), vectors(0, 1), ModePolicy(most_modes=2))
    assert found.merged == {1: 0}
    assert found.known[:24].tolist() == [0] * 24


@pytest.mark.parametrize(("most", "expected"), [(3, 1), (2, 0)])
def test_modes_met_today_take_the_room_of_new_ones(most: int, expected: int) -> None:
    found = group_notes(vectors(*[2] * 3, *[0] * 40, 1), vectors(0, 1, 7), ModePolicy(most_modes=most))
    assert len(found.centroids) == expected


def test_grouping_is_the_same_every_time() -> None:
    notes = np.array([unit(row) for row in np.random.default_rng(2).normal(size=(300, 8)).astype(np.float32)])
    first, second = (group_notes(notes, vectors(0), ModePolicy()) for _ in range(2))
    assert np.array_equal(first.fresh, second.fresh)
    assert np.array_equal(first.centroids, second.centroids)


def test_no_notes_make_no_modes() -> None:
    assert grouped(group_notes(NOBODY, vectors(0), ModePolicy())) == ([], [])


def test_a_vector_of_nothing_stays_nothing() -> None:
    assert unit(np.zeros(3, np.float32)).tolist() == [0, 0, 0]
    assert unit(np.array([3, 4], np.float32)).tolist() == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize(
    ("size", "earlier", "expected"), [(6, [], None), (6, [3], 2.0), (6, [2, 0, 4, 6], 1.5), (1, [4, 4], 0.25)]
)
def test_a_trend_is_todays_size_against_earlier_days(size: int, earlier: list[int], expected: float | None) -> None:
    assert trend_of(size, earlier) == expected


def test_groups_are_matched_one_to_one_for_the_highest_sum() -> None:
    scores = np.array([[0.9, 0.8], [0.85, 0.1], [0.2, 0.2]])
    assert matched(scores, 0.3).tolist() == [1, 0, -1]
    assert matched(np.empty((2, 0)), 0.3).tolist() == [-1, -1]


def test_overlap_is_jaccard() -> None:
    first, second = np.array([0, 0, 1, -1]), np.array([0, 1, 1, 1])
    assert overlap(first, 2, second, 2).tolist() == [[0.5, 0.25], [0.0, pytest.approx(1 / 3)]]


def test_the_younger_of_two_modes_in_one_place_is_merged() -> None:
    near = np.array([unit(np.array([1, 0.2, *[0] * 6], np.float32))])
    assert twins(np.vstack([vectors(0, 3), near]), 0.92) == {2: 0}
    assert twins(vectors(0), 0.92) == {}
