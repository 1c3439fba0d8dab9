import numpy as np
import pytest

from flywheel.core.errors import UsageError
from flywheel.stats.label_model import (
    Known,
    SignalPrior,
    calibration_error,
    fit_label_model,
    fit_patterns,
    vote_shares,
)

SENSITIVITY = np.array([0.5, 0.3, 0.2, 0.4, 0.1, 0.6])
FALSE_POSITIVE = np.array([0.01, 0.02, 0.005, 0.05, 0.001, 0.1])


def simulated(n, prevalence=0.08, abstaining=0.2, seed=0):
    rng = np.random.default_rng(seed)
    failed = rng.random(n) < prevalence
    rate = np.where(failed[:, None], SENSITIVITY, FALSE_POSITIVE)
    votes = (rng.random(rate.shape) < rate).astype(np.int8)
    votes[rng.random(rate.shape) < abstaining] = -1
    return votes, failed


def test_planted_rates_are_recovered_without_labels():
    votes, _ = simulated(50_000)
    model = fit_label_model(votes)
    assert model.prevalence == pytest.approx(0.08, abs=0.01)
    assert model.sensitivity == pytest.approx(SENSITIVITY, abs=0.05)
    assert model.false_positive == pytest.approx(FALSE_POSITIVE, abs=0.005)


def test_probabilities_are_calibrated():
    votes, failed = simulated(20_000, seed=1)
    probability = fit_label_model(votes).predict(votes)
    assert calibration_error(probability, failed) < 0.01
    # Counting votes, the usual stand-in, is far off.
    assert calibration_error((votes == 1).mean(axis=1), failed) > 0.02


def test_a_precise_signal_outweighs_a_noisy_one():
    weights = fit_label_model(simulated(50_000)[0]).fired_weights
    assert weights[0] == pytest.approx(np.log(0.5 / 0.01), abs=0.4)
    assert weights[5] == pytest.approx(np.log(0.6 / 0.1), abs=0.2)


def test_silence_says_little_and_abstaining_says_nothing():
    model = fit_label_model(simulated(50_000)[0])
    nothing_looked = np.full((1, 6), -1, np.int8)
    assert model.predict(nothing_looked)[0] == pytest.approx(model.prevalence)
    assert np.abs(model.silent_weights).max() < model.fired_weights.min()


def test_a_million_traces_cost_what_their_patterns_cost():
    votes = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, -1, 1]], np.int8)
    counts = np.array([20_000, 30_000, 940_000, 10_000])
    from_patterns = fit_patterns(votes, counts)
    from_rows = fit_label_model(np.repeat(votes, counts, axis=0))
    assert from_patterns.sensitivity == pytest.approx(from_rows.sensitivity)
    assert from_patterns.prevalence == pytest.approx(from_rows.prevalence)


def test_a_signal_that_fires_on_good_traces_is_no_evidence_of_health():
    votes, failed = simulated(20_000, abstaining=0.0)
    rng = np.random.default_rng(4)
    backwards = (rng.random(len(failed)) < np.where(failed, 0.0, 0.05)).astype(np.int8)
    model = fit_label_model(np.column_stack([votes, backwards]))
    assert model.fired_weights[-1] == pytest.approx(0.0, abs=1e-9)


def test_with_one_signal_the_prior_decides():
    votes = np.repeat(np.array([[1], [0]], np.int8), [50, 950], axis=0)
    careful = SignalPrior(sensitivity=0.9, false_positive=0.001, false_positive_strength=1e6)
    assert fit_label_model(votes, careful).predict(votes)[0] > 0.9


def test_copies_share_one_vote():
    votes, failed = simulated(20_000, abstaining=0.0)
    copied = np.column_stack([votes, votes[:, 5], votes[:, 5]])
    share = vote_shares(copied, np.ones(len(copied), np.int64))
    assert share == pytest.approx([1, 1, 1, 1, 1, 1 / 3, 1 / 3, 1 / 3])
    alone = calibration_error(fit_label_model(votes).predict(votes), failed)
    assert calibration_error(fit_label_model(copied).predict(copied), failed) < alone + 0.03


def test_signals_that_agree_by_being_good_keep_their_votes():
    votes, _ = simulated(20_000, prevalence=0.3, abstaining=0.0)
    assert vote_shares(votes, np.ones(len(votes), np.int64)) == pytest.approx(np.ones(6))


def test_known_items_are_held_to_what_is_known():
    # two signals that always agree and are always wrong: nobody could tell without labels
    votes = np.array([[1, 1], [0, 0]], np.int8)
    counts = np.array([100, 900])
    known = Known(np.array([0, 60]), np.array([60, 0]))
    blind, told = fit_patterns(votes, counts), fit_patterns(votes, counts, known=known)
    assert blind.predict(votes)[0] > 0.8
    assert told.predict(votes)[0] < 0.6
    assert told.sensitivity[0] < blind.sensitivity[0]


def test_a_firm_belief_is_not_overruled():
    rng = np.random.default_rng(2)
    crowd = (rng.random((5_000, 3)) < 0.3).astype(np.int8)
    votes = np.column_stack([crowd, rng.random(5_000) < 0.3]).astype(np.int8)
    loose = SignalPrior(sensitivity=[0.3, 0.3, 0.3, 0.9], false_positive=[0.1, 0.1, 0.1, 0.02])
    firm = SignalPrior(loose.sensitivity, loose.false_positive, is_firm=[False, False, False, True])
    assert fit_label_model(votes, firm).false_positive[3] < 0.05


def test_no_traces_give_the_prior_back():
    model = fit_label_model(np.zeros((0, 2), np.int8))
    assert model.sensitivity == pytest.approx([0.33, 0.33])
    assert model.prevalence == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("votes", "message"),
    [(np.array([[2, 0]], np.int8), "run from 0 to 2"), (np.zeros((1, 40), np.int8), r"shape \(1, 40\)")],
)
def test_votes_that_are_no_votes_are_refused(votes, message):
    with pytest.raises(UsageError, match=message):
        fit_label_model(votes)


def test_calibration_error_by_hand():
    assert calibration_error([0.2] * 10 + [0.8] * 10, [0] * 10 + [1] * 10, bins=2) == pytest.approx(0.2)
    assert np.isnan(calibration_error([], []))
