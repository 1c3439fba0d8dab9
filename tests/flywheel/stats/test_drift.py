import numpy as np
import polars as pl
import pytest

from flywheel.stats.drift import (
    ColumnDrift,
    DriftStatistic,
    DriftVerdict,
    benjamini_hochberg,
    categorical_drift,
    judged_together,
    numeric_drift,
    psi_drift,
)


def normal(n, seed, shift=0.0):
    return pl.Series("x", np.random.default_rng(seed).normal(shift, 1, n))


@pytest.mark.parametrize(
    ("n", "shift", "verdict"),
    [
        (2000, 0.0, DriftVerdict.OK),
        (2000, 0.3, DriftVerdict.DRIFT),
        (200_000, 0.02, DriftVerdict.OK),  # surely there, and too small to matter
        (499, 3.0, DriftVerdict.INSUFFICIENT),
    ],
)
def test_numeric_drift(n, shift, verdict):
    assert numeric_drift("latency", normal(n, 1), normal(n, 2, shift)).verdict is verdict


def test_a_shift_that_is_real_but_practically_nil_has_a_tiny_p_value_and_passes():
    found = numeric_drift("latency", normal(200_000, 1), normal(200_000, 2, 0.02))
    assert found.p_value < 0.001
    assert found.value < found.bound == 0.1


def test_missing_numbers_are_not_counted():
    with_gaps = pl.Series([1.0, None, float("nan")] * 600)
    assert numeric_drift("x", with_gaps, normal(600, 1)).n_reference == 600


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [([0.5, 0.5], DriftVerdict.OK), ([0.35, 0.65], DriftVerdict.DRIFT), ([0.45, 0.45, 0.1], DriftVerdict.DRIFT)],
)
def test_categorical_drift(shares, verdict):
    reference = pl.Series(["a"] * 1000 + ["b"] * 1000)
    current = pl.Series([name for name, share in zip("abc", shares, strict=False) for _ in range(int(2000 * share))])
    assert categorical_drift("model", reference, current).verdict is verdict


def test_missing_is_a_category():
    reference, current = pl.Series(["a"] * 1000), pl.Series(["a"] * 800 + [None] * 200)
    assert categorical_drift("model", reference, current).verdict is DriftVerdict.DRIFT


def test_a_column_of_ids_cannot_be_tested():
    ids = pl.Series([f"id{i}" for i in range(1000)])
    assert categorical_drift("trace_id", ids, ids).verdict is DriftVerdict.INSUFFICIENT


def test_psi_is_held_against_its_own_critical_value():
    found = psi_drift("x", normal(1000, 1), normal(1000, 2, 0.3))
    assert found.bound == pytest.approx(0.0338, abs=1e-4)
    assert found.value > found.bound
    assert found.verdict is DriftVerdict.DRIFT


def test_benjamini_hochberg_on_their_own_example():
    # Benjamini and Hochberg 1995, section 3.2: at 5% the first four of fifteen are rejected.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
         0.7590, 1.0]  # fmt: skip
    adjusted = benjamini_hochberg(p[::-1])[::-1]
    assert (adjusted < 0.05).sum() == 4
    assert adjusted[:2] == pytest.approx([0.0015, 0.003])


def test_nan_is_no_test():
    assert benjamini_hochberg([0.02, np.nan, 0.04])[[0, 2]] == pytest.approx([0.04, 0.04])


def column(p_value, effect, verdict=DriftVerdict.OK):
    return ColumnDrift("x", DriftStatistic.PSI, effect, 0.1, p_value, effect, verdict, 1000, 1000)


def test_one_small_p_value_among_fifty_columns_is_no_drift():
    alone = judged_together([column(0.03, 0.5)])
    among = judged_together([column(0.03, 0.5)] + [column(0.5, 0.01)] * 49)
    assert alone[0].verdict is DriftVerdict.DRIFT
    assert among[0].verdict is DriftVerdict.OK
    assert among[0].p_value == pytest.approx(0.5)


def test_insufficient_stays_insufficient():
    judged = judged_together([column(float("nan"), float("nan"), DriftVerdict.INSUFFICIENT), column(0.01, 0.5)])
    assert [found.verdict for found in judged] == [DriftVerdict.INSUFFICIENT, DriftVerdict.DRIFT]
    assert judged[1].p_value == 0.01


def test_fifty_driftless_columns_raise_an_alarm_in_one_batch_of_twenty():
    rng = np.random.default_rng(3)
    raw, adjusted = 0, 0
    for _ in range(400):
        p = rng.random(50)
        raw += p.min() < 0.05
        adjusted += benjamini_hochberg(p).min() < 0.05
    assert raw / 400 > 0.85
    assert adjusted / 400 == pytest.approx(0.05, abs=0.03)
