import numpy as np
import pytest

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


def test_what_fits_no_known_mode_is_clustered_anew() -> None:
    found = group_notes(vectors(*[0] * 3, *[1] * 8, *[2] * 8), vectors(0), ModePolicy())
    known, fresh = grouped(found)
    assert known == [0] * 3 + [-1] * 16
    assert sorted({*fresh[3:11]} | {*fresh[11:]}) == [0, 1]
    assert len({*fresh[3:11]}) == len({*fresh[11:]}) == 1
    assert found.centroids.shape == (2, 8)
    assert found.similarity[3:].tolist() == pytest.approx([1] * 16)


def test_fewer_than_the_smallest_are_no_mode() -> None:
    found = group_notes(vectors(0, 0), NOBODY, ModePolicy(smallest=3))
    assert grouped(found) == ([-1, -1], [-1, -1])
    assert len(found.centroids) == 0


@pytest.mark.parametrize(("most", "expected"), [(3, 1), (2, 0), (1, 0)])
def test_modes_met_today_take_the_room_of_new_ones(most: int, expected: int) -> None:
    found = group_notes(vectors(*[2] * 20, 0, 1), vectors(0, 1, 7), ModePolicy(most_modes=most))
    assert len(found.centroids) == expected


def test_a_day_has_no_more_modes_than_a_person_reads() -> None:
    scattered = np.random.default_rng(1).normal(size=(1000, 8)).astype(np.float32)
    notes = np.array([unit(row) for row in scattered])
    found = group_notes(notes, NOBODY, ModePolicy(most_modes=20))
    assert len(found.centroids) == 20


def test_grouping_is_the_same_every_time() -> None:
    notes = np.random.default_rng(2).normal(size=(300, 8)).astype(np.float32)
    first, second = (group_notes(notes, vectors(0), ModePolicy()) for _ in range(2))
    assert np.array_equal(first.fresh, second.fresh)
    assert np.array_equal(first.centroids, second.centroids)


def test_no_notes_make_no_modes() -> None:
    assert grouped(group_notes(NOBODY, vectors(0), ModePolicy())) == ([], [])


def test_a_vector_of_nothing_stays_nothing() -> None:
    assert unit(np.zeros(3, np.float32)).tolist() == [0, 0, 0]
    assert unit(np.array([3, 4], np.float32)).tolist() == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize(
    ("size", "earlier", "expected"), [(6, [], None), (6, [3], 2.0), (6, [2, 4, 6], 1.5), (1, [4, 4], 0.25)]
)
def test_a_trend_is_todays_size_against_earlier_days(size: int, earlier: list[int], expected: float | None) -> None:
    assert trend_of(size, earlier) == expected
