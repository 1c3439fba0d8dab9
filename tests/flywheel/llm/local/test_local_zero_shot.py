import pytest

from flywheel.llm.local.catalogue import Family
from flywheel.llm.local.messages import Message
from flywheel.llm.local.zero_shot import zero_shot

BULLETS = "Route the message to:\n- card_lost\n- refund_request\n- exchange_rate"


@pytest.mark.parametrize(
    ("prompt", "question", "expected"),
    [
        (BULLETS, "I lost my card", "card_lost"),
        (BULLETS, "what exchange rate is used", "exchange_rate"),
        ("Answer with one of: yes, no, or maybe. Be brief.", "maybe so", "maybe"),
        ("Answer with one of: 'yes', 'no'.", "no way", "no"),
        ("", "one of: red, blue\nThe sky is blue", "blue"),
        ("", "Which?\n- red wine\n- white bread\nI want bread", "white bread"),
        ("- billing: invoices and payments\n- tech: login and passwords", "my password and login fail", "tech"),
        ("Be kind.", "hello", "I do not know."),
    ],
)
def test_the_option_that_shares_most_is_chosen(prompt: str, question: str, expected: str) -> None:
    belief = zero_shot([Message("system", prompt), Message("user", question)], Family.LINEAR)
    assert belief.answers[belief.best()] == expected
    assert belief.probabilities.sum() == pytest.approx(1.0)


def test_nothing_shared_is_an_even_guess() -> None:
    belief = zero_shot([Message("system", BULLETS), Message("user", "zzz")], Family.LINEAR)
    assert belief.probabilities.tolist() == pytest.approx([1 / 3] * 3)


def test_the_ngram_family_sees_parts_of_words() -> None:
    asked = [Message("system", BULLETS), Message("user", "refunds exchanged requested")]
    linear, ngram = zero_shot(asked, Family.LINEAR), zero_shot(asked, Family.NGRAM)
    assert linear.probabilities.max() == pytest.approx(1 / 3)
    assert ngram.answers[ngram.best()] == "refund_request"
