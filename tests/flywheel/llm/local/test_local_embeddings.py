import numpy as np
import pytest

from flywheel.llm.local.embeddings import embed

TEXTS = ("I lost my debit card", "my debit card was lost", "what is the exchange rate for euros")


def test_rows_have_length_one() -> None:
    rows = embed([*TEXTS, "", "  ", "\ud800"])
    assert rows.shape == (6, 256)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(6), abs=1e-5)


def test_alike_texts_are_nearer_than_others() -> None:
    lost, also_lost, rate = embed(TEXTS)
    assert lost @ also_lost > 0.5
    assert lost @ rate < 0.25


def test_a_text_gets_the_same_vector_alone_and_in_company() -> None:
    assert np.array_equal(embed(TEXTS)[1], embed([TEXTS[1]])[0])


def test_the_projection_never_changes() -> None:
    row = embed(["anchor"])[0]
    assert row[[0, 1, 7, 13, 20]].tolist() == pytest.approx([0.058202, 0.0, 0.058202, -0.058202, -0.236664], abs=1e-6)


def test_fewer_dimensions_are_the_first_ones_rescaled() -> None:
    whole, short = embed(TEXTS)[0], embed(TEXTS, 16)[0]
    assert short == pytest.approx(whole[:16] / np.linalg.norm(whole[:16]), abs=1e-6)
