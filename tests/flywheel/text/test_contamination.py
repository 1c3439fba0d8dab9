import random

import polars as pl
import pytest

from flywheel.text.contamination import RULE, find_contamination, too_short

WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in ("a", "ei", "or", "u") for c in ("n", "st", "l")]
QUESTION = (
    "A baker sells 12 loaves in the morning and twice as many in the afternoon; each costs 3 dollars, "
    "so how much does she earn in a day if 4 loaves are given away?"
)
LOOKALIKES = str.maketrans("aceopxyABCEHKMOPTX", "асеорхуАВСЕНКМОРТХ")


def frame(**texts):
    return pl.DataFrame(
        {"id": list(texts), "text": list(texts.values())}, schema={"id": pl.String, "text": pl.String}
    )


def replaced(text, count, rng):
    words = text.split(" ")
    for place in rng.sample(range(len(words)), count):
        words[place] = f"other{place}"
    return " ".join(words)


def found(text, instance=QUESTION):
    return find_contamination(frame(row=text), frame(question=instance)).to_dicts()


@pytest.mark.parametrize(
    "text",
    [
        QUESTION,
        QUESTION.upper(),
        QUESTION.replace(" ", "  ").replace(",", " -").replace("?", "!"),
        QUESTION.replace("e", "e\u200b"),
        QUESTION.translate(LOOKALIKES),
        QUESTION.replace("a", "ａ"),
        QUESTION.replace("e", "e\u0301"),
        QUESTION.replace("; ", ";\n"),
    ],
    ids=["verbatim", "case", "punctuation", "zero width", "look-alikes", "full width", "accents", "split"],
)
def test_a_copy_in_disguise_is_found(text):
    (one,) = found(f"Please answer this: {text} Thank you.")
    assert (one["id"], one["instance_id"], one["reason"], one["word_count"]) == ("row", "question", "copied", 34)
    assert one["share"] == one["edited_share"] == 1.0
    assert one["span"].startswith("a baker sells 12 loaves")
    assert one["span"].endswith("are given away")


def test_a_copy_with_three_words_replaced_is_found():
    rng = random.Random(1)
    instances = {str(n): " ".join(rng.choices(WORDS, k=rng.randint(30, 60))) for n in range(400)}
    rows = {
        name: f"{' '.join(rng.choices(WORDS, k=40))} {replaced(text, 3, rng)}" for name, text in instances.items()
    }
    pairs = find_contamination(frame(**rows), frame(**instances)).select("id", "instance_id").rows()
    assert all(row == instance for row, instance in pairs)
    assert len(pairs) >= 0.95 * len(instances)


def test_words_put_in_move_the_rest_and_hide_only_what_is_shorter_than_a_gram():
    (one,) = found(QUESTION.replace("in the afternoon", "in the very late afternoon").replace("if 4", "if just 4"))
    assert one["edited_share"] == (34 - 5) / 34  # "4 loaves are given away"


def test_half_of_the_words_is_not_more_than_half():
    words = [f"word{number}" for number in range(40)]
    half = " ".join(words[:20])
    assert found(half, " ".join(words)) == []
    (one,) = found(" ".join(words[:21]), " ".join(words))
    assert (one["reason"], one["share"], one["span"]) == ("copied", 21 / 40, " ".join(words[:21]))


def test_what_two_texts_hold_together_is_in_neither():
    words = [f"word{number}" for number in range(40)]
    rows = frame(first=" ".join(words[:20]), second=" ".join(words[20:]))
    assert find_contamination(rows, frame(question=" ".join(words))).is_empty()


def test_the_same_topic_is_no_contamination():
    assert found("A baker gives away 4 of her 12 loaves each morning and sells the others in the afternoon.") == []


def test_a_quotation_from_a_long_instance_is_found():
    rng = random.Random(2)
    page = rng.choices(WORDS, k=RULE.long_words)
    quotation, shorter = " ".join(page[100:113]), " ".join(page[100:112])
    (one,) = found(f"It says: {quotation}.", " ".join(page))
    assert (one["reason"], one["span"]) == ("quoted", quotation)
    assert found(f"It says: {shorter}.", " ".join(page)) == []


def test_how_questions_are_put_tells_nothing_about_one():
    rng = random.Random(3)
    put = "write a function in python that takes a list of numbers and returns"
    instances = {str(n): f"{put} {' '.join(rng.choices(WORDS, k=6))}" for n in range(12)}
    assert find_contamination(frame(row=f"{put} nothing at all"), frame(**instances)).is_empty()
    pairs = find_contamination(frame(row=instances["7"]), frame(**instances))
    assert pairs["instance_id"].to_list() == ["7"]


def test_everyday_phrases_are_too_short_to_look_for():
    instances = frame(short="how are you today my dear friend", long=QUESTION)
    assert too_short(instances) == 1
    assert find_contamination(frame(row="How are you today, my dear friend?"), instances).is_empty()


def test_nothing_in_nothing_out():
    assert find_contamination(frame(), frame()).shape == (0, 7)
    assert find_contamination(frame(row=QUESTION), frame()).shape == (0, 7)
    assert find_contamination(frame(), frame(question=QUESTION)).shape == (0, 7)
    assert find_contamination(frame(row=None, other=""), frame(question=QUESTION, none=None)).shape == (0, 7)


def test_many_rows_are_read_in_batches():
    rng = random.Random(4)
    texts = {str(n): " ".join(rng.choices(WORDS, k=100)) for n in range(3000)}
    texts["1500"] += f" {QUESTION}"
    texts["2999"] = f"{QUESTION} {texts['2999']}"
    pairs = find_contamination(frame(**texts), frame(question=QUESTION))
    assert pairs["id"].to_list() == ["1500", "2999"]
