import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from flywheel.mine.embed import DIMENSIONS, embed

NOTES = ["card_lost | my card is gone", "timeout | what is the rate", "card lost my card was stolen", ""]


def test_vectors_have_length_one_or_none() -> None:
    vectors = embed(NOTES)
    assert vectors.shape == (4, DIMENSIONS)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1, 0], abs=1e-6)


def test_a_note_has_the_same_vector_whatever_it_is_embedded_with() -> None:
    together = embed(NOTES)
    alone = np.vstack([embed([note]) for note in NOTES])
    assert np.array_equal(together, alone)
    assert np.array_equal(embed(NOTES[::-1])[::-1], together)


def test_notes_about_one_thing_are_nearer_than_notes_about_two() -> None:
    vectors = embed(NOTES)
    assert vectors[0] @ vectors[2] > 0.3 > vectors[0] @ vectors[1]


@pytest.mark.parametrize(("joined", "apart"), [("card_lost", "card lost"), ("a rate|b rate", "a rate b rate")])
def test_labels_are_read_as_words(joined: str, apart: str) -> None:
    assert np.array_equal(embed([joined]), embed([apart]))


def test_no_notes_have_no_vectors() -> None:
    assert embed([]).shape == (0, DIMENSIONS)


def test_a_centroid_means_the_same_in_another_process() -> None:
    script = "from flywheel.mine.embed import embed; print(*embed(['card lost'])[0].nonzero()[0])"
    root = Path(__file__).parents[3]
    elsewhere = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60, cwd=root
    )
    assert [int(place) for place in elsewhere.stdout.split()] == embed(["card lost"])[0].nonzero()[0].tolist()
