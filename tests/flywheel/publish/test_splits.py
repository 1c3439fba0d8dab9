"""A problem and its twins are on one side, and what was held out once stays held out."""

from collections.abc import Mapping, Sequence

import polars as pl
import pytest

from flywheel.publish.splits import HELDOUT_SHARE, assign_splits
from flywheel.text.near_duplicates import overlap

TOPICS = ("a lost card", "the refund of shoes", "euro exchange rates", "closing my account", "a late parcel")


def rows_of(queries: Mapping[str, str | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {"correction_id": list(queries), "query": list(queries.values())},
        schema={"correction_id": pl.String, "query": pl.String},
    )


def splits(
    queries: Mapping[str, str | None], audited: Sequence[str] = (), frozen: Mapping[str, str] | None = None
) -> dict[str, str]:
    placed = assign_splits(rows_of(queries), audited, frozen or {})
    return dict(placed.select("correction_id", "split").iter_rows())


def twins(count: int) -> dict[str, str]:
    """Return pairs of questions that differ in one letter, ids of a pair far apart."""
    asked = {}
    for number in range(count):
        text = f"please tell me number {number * 7919:x} about {TOPICS[number % 5]} from {number * 104729:x} now"
        asked |= {f"{number:04x}": text, f"f{number:04x}": text.replace("please", "pleese")}
    return asked


def test_no_near_duplicates_are_on_both_sides() -> None:
    asked = twins(100)
    placed = assign_splits(rows_of(asked), [], {}).select(pl.col("correction_id").alias("id"), "query", "split")
    train, heldout = (
        placed.filter(pl.col("split") == side).select("id", pl.col("query").alias("text"))
        for side in ("train", "heldout")
    )
    assert (train.height > 100, heldout.height > 10) == (True, True)
    assert overlap(train, heldout).height == 0
    found = dict(placed.select("id", "split").iter_rows())
    assert [found[f"{number:04x}"] for number in range(100)] == [found[f"f{number:04x}"] for number in range(100)]


def test_about_a_fifth_is_held_out() -> None:
    drawn = list(
        splits({f"{number:04x}": f"{number * 7919:x} {number * 104729:x}" for number in range(1000)}).values()
    )
    assert HELDOUT_SHARE == 0.2
    assert 150 < drawn.count("heldout") < 250


def test_the_draw_does_not_depend_on_other_rows() -> None:
    asked = twins(40)
    alone = {key: splits({key: text})[key] for key, text in asked.items() if not key.startswith("f")}
    together = splits({key: text for key, text in reversed(asked.items()) if not key.startswith("f")})
    assert together == alone
    assert set(alone.values()) == {"train", "heldout"}


@pytest.mark.parametrize("side", ["train", "heldout"])
def test_a_released_side_is_kept_and_twins_follow_it(side: str) -> None:
    for number in range(8):  # whichever way the draw would go
        asked = {f"{number}a": "the card is lost and gone", f"{number}b": "the card is lost and gone!"}
        assert set(splits(asked, frozen={f"{number}b": side}).values()) == {side}


def test_sides_stay_over_releases_that_each_bring_twins_of_the_last() -> None:
    asked: dict[str, str] = {}
    frozen: dict[str, str] = {}
    for release in range(5):
        asked |= {f"{release:02x}{key}": f"{text} {'!' * release}" for key, text in twins(15).items()}
        placed = splits(asked, frozen=frozen)
        assert {key: placed[key] for key in frozen} == frozen
        frozen = placed
    assert set(frozen.values()) == {"train", "heldout"}


def test_a_bridge_between_both_sides_retires_what_was_trained_on() -> None:
    words = [f"word{number}x" for number in range(24)]
    left, bridge, right = " ".join(words[:20]), " ".join(words[2:22]), " ".join(words[4:])
    asked = {"a": left, "b": bridge, "c": right}
    sides = splits(asked, frozen={"a": "train", "c": "heldout"})
    assert sides == {"a": "retired", "b": "retired", "c": "heldout"}
    assert splits({"a": left, "c": right}, frozen={"a": "train", "c": "heldout"}) == {"a": "train", "c": "heldout"}


@pytest.mark.parametrize(
    ("before", "after"), [(None, "heldout"), ("heldout", "heldout"), ("train", "retired"), ("retired", "retired")]
)
def test_a_twin_of_an_audit_is_never_trained_on_again(before: str | None, after: str) -> None:
    for number in range(8):
        key = f"0{number}"
        asked = {key: "My card is lost, and gone.", "ff": "how do I get my money back"}
        frozen = {key: before} if before else {}
        assert splits(asked, audited=["my card is lost and gone"], frozen=frozen)[key] == after


def test_a_retired_row_stays_retired_without_the_twin_that_retired_it() -> None:
    assert splits({"a": "my card is lost"}, frozen={"a": "retired"}) == {"a": "retired"}


def test_a_groups_name_does_not_depend_on_audits() -> None:
    rows = rows_of({"f0": "my card is lost and gone", "f1": "something else entirely"})
    names = [assign_splits(rows, audited, {})["group_id"].to_list() for audited in ([], ["x"], ["x", "a lost card!"])]
    assert names == [["f0", "f1"]] * 3


def test_audits_get_no_row_of_their_own() -> None:
    placed = assign_splits(rows_of({"a": "one question"}), ["another question", "a third"], {})
    assert (placed["correction_id"].to_list(), placed.columns) == (
        ["a"],
        ["correction_id", "query", "group_id", "split"],
    )


def test_rows_keep_their_order_and_a_missing_query_has_a_side() -> None:
    placed = assign_splits(rows_of({"b": "second", "a": None, "c": "third"}), [], {})
    assert placed["correction_id"].to_list() == ["b", "a", "c"]
    assert placed["split"].null_count() == 0


def test_no_rows_have_no_sides() -> None:
    for audited in ([], ["a question"]):
        placed = assign_splits(rows_of({}), audited, {})
        assert (placed.height, placed.columns) == (0, ["correction_id", "query", "group_id", "split"])
