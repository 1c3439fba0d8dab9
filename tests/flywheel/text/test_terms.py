from flywheel.text.terms import distinctive_terms

GROUPS = {
    "a": ["my cash withdrawal is pending", "the cash withdrawal did not work", "why is the cash withdrawal pending"],
    "b": ["the exchange rate is wrong", "why is the exchange rate so high", "wrong exchange rate applied"],
}


def test_groups_are_named_by_what_sets_them_apart():
    named = distinctive_terms(GROUPS, top=2)
    assert named == {"a": ("cash withdrawal", "pending"), "b": ("exchange rate", "wrong")}


def test_what_is_common_to_all_names_none():
    shared = {name: [f"{text} please help" for text in texts] for name, texts in GROUPS.items()}
    assert "help" not in [term for terms in distinctive_terms(shared, top=10).values() for term in terms]


def test_a_single_group_is_named_by_its_most_frequent_phrases():
    assert distinctive_terms({"a": GROUPS["a"]}, top=1) == {"a": ("cash withdrawal",)}


def test_no_phrase_contains_another():
    for terms in distinctive_terms(GROUPS, top=10).values():
        assert not [(x, y) for x in terms for y in terms if x != y and f" {x} " in f" {y} "]


def test_groups_without_words_have_no_name():
    assert distinctive_terms({"a": ["???", ""], "b": []}) == {"a": (), "b": ()}


def test_the_order_of_texts_does_not_matter():
    turned = {name: texts[::-1] for name, texts in reversed(GROUPS.items())}
    assert distinctive_terms(turned) == distinctive_terms(GROUPS)
