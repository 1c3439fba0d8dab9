"""The bank scenario is seeded, varied, and marks what it planted."""

from collections import Counter

import pytest

from flywheel.scenario.bank import Style, generate_queries, intents


@pytest.fixture(scope="module")
def queries():
    return generate_queries(7, 60)


def test_same_seed_same_queries(queries):
    assert generate_queries(7, 60) == queries


def test_other_seed_other_queries(queries):
    texts = {query.text for query in queries}
    again = [query for query in generate_queries(8, 60) if query.text in texts]
    assert len(again) < 0.15 * len(queries)


def test_more_queries_keep_the_fewer(queries):
    assert set(generate_queries(7, 10)) <= set(queries)


def test_every_intent_has_its_number_of_queries(queries):
    counted = Counter(query.intent for query in queries)
    assert len(intents()) == 51
    assert counted == dict.fromkeys(intents(), 60)


def test_texts_are_unique(queries):
    assert len({query.text.casefold() for query in queries}) == len(queries)


def test_no_placeholder_is_left(queries):
    assert [query.text for query in queries if set("{}|") & set(query.text)] == []


@pytest.mark.parametrize(
    ("flag", "low", "high"),
    [
        ("has_typo", 0.20, 0.28),
        ("has_pii", 0.03, 0.05),
        ("is_mixed", 0.065, 0.095),
        ("has_loan_word", 0.03, 0.08),
    ],
)
def test_planted_rates(queries, flag, low, high):
    assert low <= sum(getattr(query, flag) for query in queries) / len(queries) <= high


def test_style_switches_planting_off():
    plain = generate_queries(7, 20, style=Style(typo_rate=0, loan_rate=0, mixed_rate=0, pii_rate=0))
    assert [q for q in plain if q.has_typo or q.has_pii or q.has_loan_word or q.is_mixed] == []
    assert not any("@" in query.text for query in plain)
