import numpy as np

from flywheel.stats.sequential import BURN_IN, always_valid_p_values


def outcomes(rng, gain, n=3000, discordance=0.15):
    return rng.choice([1, -1, 0], n, p=[(discordance + gain) / 2, (discordance - gain) / 2, 1 - discordance])


def test_watching_all_the_time_does_not_raise_false_alarms():
    rng = np.random.default_rng(1)
    alarms = [always_valid_p_values(outcomes(rng, 0.0), 0.03)[-1] <= 0.05 for _ in range(300)]
    assert np.mean(alarms) <= 0.05


def test_a_gain_of_three_points_is_found_at_about_1300_pairs():
    rng = np.random.default_rng(2)
    stops = [np.argmax(always_valid_p_values(outcomes(rng, 0.03), 0.03) <= 0.05) for _ in range(200)]
    assert 900 < np.median(stops) < 1700


def test_nothing_is_decided_during_the_burn_in():
    p_values = always_valid_p_values(np.ones(150), 0.05)
    assert (p_values[: BURN_IN - 1] == 1.0).all()
    assert p_values[BURN_IN] < 0.05
