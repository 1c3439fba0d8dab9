"""Private data is well-formed and invented; wording changes keep the text recognisable."""

import random

import pytest

from flywheel.scenario import wording


def luhn_sum(number: str) -> int:
    digits = [int(digit) for digit in reversed(number.replace(" ", ""))]
    return sum(digits[0::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])


@pytest.mark.parametrize("seed", range(20))
def test_card_numbers_pass_luhn_and_are_zeros(seed):
    number = wording.invented_card_number(random.Random(seed))
    assert luhn_sum(number) % 10 == 0
    assert number.startswith("4000 0000 0000 ")


def test_luhn_check_used_here_knows_a_wrong_number():
    assert luhn_sum("4111 1111 1111 1111") == 30
    assert luhn_sum("4111 1111 1111 1112") % 10 != 0


@pytest.mark.parametrize("seed", range(20))
def test_ibans_pass_mod_97(seed):
    iban = wording.invented_iban(random.Random(seed))
    moved = iban[4:] + iban[:4]
    assert len(iban) == 22
    assert int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def test_emails_are_under_reserved_domains():
    domains = {wording.invented_email(random.Random(seed)).partition("@")[2] for seed in range(30)}
    assert domains == {"example.com", "example.org", "example.net"}


@pytest.mark.parametrize("text", ["my card is gone", "why was I charged?", "hello", "a"])
def test_rephrasing_changes_the_text(text):
    for seed in range(30):
        assert wording.rephrase(text, random.Random(seed)) != text


def test_rephrasing_keeps_the_words_of_the_request():
    said = wording.rephrase("Please unlock the card I blocked.", random.Random(3))
    assert "unlock the card I blocked" in said


def test_a_typo_changes_at_most_two_letters():
    for seed in range(30):
        slipped = wording.with_typo("balance", random.Random(seed))
        assert abs(len(slipped) - 7) <= 1
        assert set("balance") & set(slipped)


@pytest.mark.parametrize("text", ["", "7", "a 1 b"])
def test_no_typo_without_two_letters_in_a_row(text):
    assert wording.with_typo(text, random.Random(1)) == text


def test_loan_word_replaces_one_noun():
    assert wording.with_loan_word("my card, please", {"card": ["Karte"]}, random.Random(1)) == "my Karte, please"
    assert wording.with_loan_word("my dog", {"card": ["Karte"]}, random.Random(1)) == "my dog"
