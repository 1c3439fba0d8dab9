import pytest

from flywheel.llm.local.tokens import count_prompt, pieces


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("card_lost", ("card", "_", "lost")),
        ("I do not know.", ("I", " do", " not", " know", ".")),
        ('{"a": 1}', ("{", '"', "a", '"', ":", " 1", "}")),
        ("two  spaces\n", ("two", "  ", "spaces", "\n")),
        ("naïve café", ("naïve", " café")),
        ("", ()),
    ],
)
def test_text_is_cut_into_words_underscores_and_marks(text: str, expected: tuple[str, ...]) -> None:
    assert pieces(text) == expected


@pytest.mark.parametrize("text", ["a__b --c", " \t x", "日本 語。", "x" * 100 + " _ _", "a\u00a0b", "\r\n\r\n-"])
def test_tokens_concatenate_to_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


def test_a_prompt_costs_its_tokens_and_three_per_message() -> None:
    assert count_prompt(["be brief", "where is my card?"]) == 2 + 3 + 5 + 3
