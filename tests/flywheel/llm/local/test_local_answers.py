import math
from collections import Counter
from random import Random

import numpy as np
import pytest

from flywheel.llm.local.answers import Sampling, choose, token_chances
from flywheel.llm.local.distribution import Distribution

ANSWERS = ("card", "card_lost", "card_found", "refund", "refund the card")
BELIEF = Distribution(ANSWERS, np.array([0.1, 0.35, 0.15, 0.3, 0.1]))


@pytest.mark.parametrize("place", range(len(ANSWERS)))
def test_token_logprobs_sum_to_the_answers_logprob(place: int) -> None:
    chances = list(token_chances(BELIEF, place, 0))
    assert "".join(chance.token for chance in chances) == ANSWERS[place]
    assert math.fsum(chance.logprob for chance in chances) == pytest.approx(
        math.log(float(BELIEF.probabilities[place]))
    )


def test_alternatives_are_the_shares_at_that_prefix() -> None:
    first, _, last = token_chances(BELIEF, 1, 5)
    assert [(token, round(math.exp(p), 6)) for token, p in first.alternatives] == [
        ("card", 0.5),  # goes on
        ("refund", 0.3),  # ends
        ("card", 0.1),  # ends
        ("refund", 0.1),  # goes on
    ]
    assert [(token, round(math.exp(p), 6)) for token, p in last.alternatives] == [("lost", 0.7), ("found", 0.3)]


def test_as_many_alternatives_as_asked() -> None:
    assert [len(chance.alternatives) for chance in token_chances(BELIEF, 1, 1)] == [1, 1, 1]


def test_temperature_zero_takes_the_best() -> None:
    assert {choose(BELIEF, Sampling(0.0), Random(seed)) for seed in range(20)} == {1}


@pytest.mark.parametrize(
    ("temperature", "expected"), [(1.0, (0.8, 0.2)), (0.5, (16 / 17, 1 / 17)), (2.0, (2 / 3, 1 / 3))]
)
def test_sampling_follows_the_tempered_probabilities(temperature: float, expected: tuple[float, ...]) -> None:
    random, belief = Random(3), Distribution(("a", "b"), np.array([0.8, 0.2]))
    drawn = Counter(choose(belief, Sampling(temperature), random) for _ in range(5000))
    assert drawn[0] / 5000 == pytest.approx(expected[0], abs=0.025)


def test_top_p_keeps_the_smallest_set_with_that_mass() -> None:
    random = Random(5)
    assert {choose(BELIEF, Sampling(1.0, 0.6), random) for _ in range(300)} == {1, 3}


def test_an_impossible_answer_is_never_drawn() -> None:
    random, belief = Random(1), Distribution(("a", "b", "c"), np.array([0.5, 0.0, 0.5]))
    assert {choose(belief, Sampling(2.0), random) for _ in range(300)} == {0, 2}


def test_a_tiny_temperature_does_not_overflow() -> None:
    assert choose(BELIEF, Sampling(1e-6), Random(1)) == 1
