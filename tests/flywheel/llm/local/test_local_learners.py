import numpy as np
import pytest

from flywheel.llm.local.catalogue import Family
from flywheel.llm.local.examples import Example, read_examples
from flywheel.llm.local.learners import Classifier, Learner, Plan, Prior, Retrieval, fit

CHAT_FAMILIES = (Family.LINEAR, Family.NGRAM, Family.NEIGHBOUR)


def best(learner: Learner, text: str) -> str:
    belief = learner.distribution(text)
    return belief.answers[belief.best()]


@pytest.mark.parametrize("family", CHAT_FAMILIES)
def test_unseen_phrasings_get_the_right_intent(
    family: Family, intents: bytes, unseen: tuple[tuple[str, str], ...]
) -> None:
    learner = fit(read_examples(intents), Plan(family))
    assert sum(best(learner, text) == intent for text, intent in unseen) >= 7


@pytest.mark.parametrize("family", CHAT_FAMILIES)
def test_probabilities_sum_to_one_and_repeat(family: Family, intents: bytes) -> None:
    first, second = (
        fit(read_examples(intents), Plan(family, seed=3)).distribution("lost the card") for _ in range(2)
    )
    assert first.probabilities.sum() == pytest.approx(1.0)
    assert np.array_equal(first.probabilities, second.probabilities)


@pytest.mark.parametrize("family", CHAT_FAMILIES)
def test_two_answers_work_as_many_do(family: Family) -> None:
    rows = [Example(f"good fine {n}", "yes") for n in range(15)] + [Example(f"bad poor {n}", "no") for n in range(15)]
    learner = fit(rows, Plan(family))
    assert [best(learner, "a fine day"), best(learner, "poor thing")] == ["yes", "no"]


def test_families_learn_differently(intents: bytes) -> None:
    rows = read_examples(intents)
    beliefs = [fit(rows, Plan(family)).distribution("card refund") for family in CHAT_FAMILIES]
    assert len({round(float(belief.probabilities.max()), 4) for belief in beliefs}) == 3


def test_one_answer_is_certain() -> None:
    learner = fit([Example("a b", "yes"), Example("c d", "yes")], Plan(Family.LINEAR))
    assert isinstance(learner, Prior)
    assert learner.distribution("zzz").probabilities.tolist() == [1.0]


def test_texts_without_words_leave_the_prior() -> None:
    rows = [Example("?", "a", 1.0), Example("!", "b", 0.5), Example("?!", "a", 0.5)]
    assert fit(rows, Plan(Family.LINEAR)).distribution("?").probabilities.tolist() == [0.75, 0.25]


def test_weight_decides_between_contradicting_examples() -> None:
    rows = [Example("red apple", "yes", 0.9), Example("red apple", "no", 0.1), Example("green pear", "no", 0.0)]
    for family in CHAT_FAMILIES:
        assert best(fit(rows, Plan(family)), "red apple") == "yes"


@pytest.mark.parametrize(("answer_count", "expected"), [(200, Classifier), (201, Retrieval)])
def test_many_different_answers_are_retrieved(answer_count: int, expected: type[Learner]) -> None:
    rows = [Example(f"question number {n}", f"answer {n}") for n in range(answer_count)]
    learner = fit(rows, Plan(Family.LINEAR))
    assert isinstance(learner, expected)
    assert best(learner, "question number 17") == "answer 17"


def test_retrieval_falls_back_on_the_prior() -> None:
    rows = [Example("alpha", "a"), Example("beta", "b"), Example("beta two", "b")]
    learner = fit(rows, Plan(Family.NEIGHBOUR))
    assert learner.distribution("9999").probabilities.tolist() == pytest.approx([1 / 3, 2 / 3])


def test_strength_follows_the_data_more_closely(intents: bytes) -> None:
    rows = read_examples(intents)
    weak, strong = (fit(rows, Plan(Family.LINEAR, 0, s)).distribution("my card is missing") for s in (0.1, 10.0))
    assert strong.probabilities.max() > weak.probabilities.max()
