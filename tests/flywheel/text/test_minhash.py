import numpy as np
import pytest

from flywheel.text.minhash import Banding, band_keys, crossings, likely, neighbours, signatures
from flywheel.text.shingles import ShingleKind, shingle


@pytest.mark.parametrize(
    ("banding", "similarity", "recall"),
    [(Banding(), 0.8, 0.998), (Banding(), 0.5, 0.2816), (Banding(16, 8), 0.8, 0.947), (Banding(14, 8), 0.8, 0.924)],
)
def test_recall_of_a_banding(banding, similarity, recall):
    assert banding.recall(similarity) == pytest.approx(recall, abs=1e-3)


@pytest.mark.parametrize("shared", [20, 50, 80])
def test_the_share_of_equal_values_estimates_jaccard(shared):
    rng = np.random.default_rng(shared)
    equal = []
    for _ in range(40):
        words = [f"w{number}" for number in rng.choice(10**6, 200 - shared + 2, replace=False)]
        middle, left, right = words[:shared], words[shared:100], words[100:]
        texts = [" ".join(middle + left), " ".join(middle + right[: len(left)])]
        sketches = signatures(shingle(texts, ShingleKind.WORDS), 128)
        equal.append((sketches[0] == sketches[1]).mean())
    sets = shared - 2, 100 - 2
    assert np.mean(equal) == pytest.approx(sets[0] / (2 * sets[1] - sets[0]), abs=0.02)


def test_a_signature_does_not_depend_on_the_block_it_is_computed_in():
    texts = [f"message number {number} about order {number * 7}" for number in range(5000)]
    together = signatures(shingle(texts, ShingleKind.CHARACTERS), 12)
    assert (together[4321] == signatures(shingle(texts[4321:4322], ShingleKind.CHARACTERS), 12)[0]).all()


def test_texts_that_share_a_band_meet():
    sketches = np.array([[1, 2, 3, 4], [9, 9, 3, 4], [1, 2, 8, 8], [5, 6, 7, 8]], np.uint32)
    keys = band_keys(sketches, Banding(bands=2, rows=2))
    met = {tuple(sorted(pair)) for batch in neighbours(keys) for pair in zip(*map(list, batch), strict=True)}
    assert met == {(0, 1), (0, 2)}
    across = {pair for batch in crossings(keys[:1], keys[1:]) for pair in zip(*map(list, batch), strict=True)}
    assert across == {(0, 0), (0, 1)}


def test_work_grows_with_the_bucket_not_with_its_square():
    keys = np.zeros((1000, 1), np.uint64)
    pairs = sum(len(first) for first, _ in neighbours(keys))
    assert pairs == sum(1000 - step for step in range(1, 9))


def test_likely_rules_out_only_what_is_far_below():
    values = np.arange(100, dtype=np.uint8)[None, :]
    other = values.copy()
    other[0, :28] += 100
    assert likely(values, other, 0.8).tolist() == [True]
    other[0, :40] = 255
    assert likely(values, other, 0.8).tolist() == [False]
