import warnings

import numpy as np
import pytest

from flywheel.mine.embed import WIDTH, Space, fit_space

FIRST = [
    f"answer: {label}\ntopic: {word} number {n}"
    for n in range(12)
    for label, word in (("card_lost", "card"), ("refund", "money"), ("fx_rate", "euro"))
]
NOTES = ["answer: card_lost\ntopic: my card is gone", "answer: refund\ntopic: money back", "answer: card_lost", ""]


@pytest.fixture(scope="module")
def fitted() -> Space:
    return fit_space(FIRST)


@pytest.mark.parametrize("space", [Space(), fit_space(FIRST)], ids=["hashed", "fitted"])
def test_vectors_have_length_one_or_none(space: Space) -> None:
    vectors = space.embed(NOTES)
    assert vectors.shape == (4, WIDTH)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1, 0], abs=1e-6)


def test_a_note_has_the_same_vector_whatever_it_is_embedded_with(fitted: Space) -> None:
    together = fitted.embed(NOTES)
    alone = np.vstack([fitted.embed([note]) for note in NOTES])
    assert together == pytest.approx(alone, abs=1e-6)


def test_a_wrong_answer_weighs_more_than_what_was_asked(fitted: Space) -> None:
    asked = "topic: card number 3"
    one, other, elsewhere = fitted.embed(
        [f"answer: card_lost\n{asked}", f"answer: refund\n{asked}", "answer: card_lost\ntopic: euro number 5"]
    )
    assert one @ elsewhere > 0.8 > 0.3 > one @ other


def test_what_is_new_is_far_from_all_that_was_known(fitted: Space) -> None:
    new, again, old = fitted.embed(["answer: pin_blocked", "answer: pin_blocked\ntopic: euro", "answer: refund"])
    assert new @ again > 0.9
    assert abs(new @ old) < 0.2
    assert fitted.unknown_share(["answer: pin_blocked"]) == pytest.approx(1)
    assert fitted.unknown_share(["answer: refund"]) == pytest.approx(0)
    assert fitted.unknown_share([]) == 0


def test_fitting_twice_gives_the_same_space(fitted: Space) -> None:
    again = fit_space(FIRST)
    assert again.space_id == fitted.space_id
    assert np.array_equal(again.places, fitted.places)
    assert fit_space([*FIRST, "answer: card_lost"]).space_id != fitted.space_id


def test_few_notes_are_hashed() -> None:
    assert fit_space(FIRST[:29]).space_id == "hashed"
    assert fit_space(["same"] * 40).space_id != ""


def test_no_notes_have_no_vectors(fitted: Space) -> None:
    assert fitted.embed([]).shape == (0, WIDTH)


def test_more_notes_than_are_embedded_at_once_lie_where_they_lie_alone() -> None:
    notes = [f"answer: a{number}\ntopic: t{number % 7}" for number in range(4_100)]
    vectors = Space().embed(notes)
    for place in (0, 1_234, 4_099):
        assert np.array_equal(vectors[place], Space().embed([notes[place]])[0])


def test_a_space_of_identical_notes_says_nothing_on_the_console() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_space(["answer: refund\ntopic: my card"] * 60)
