"""Each measure that the gate promises about, by the smallest example that moves it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from flywheel.core.lake import Lake
from flywheel.publish.candidate import Candidate
from flywheel.publish.profile import profile

Row = dict[str, Any]
Corrections = Callable[..., list[Row]]
Candidates = Callable[..., Candidate]
Land = Callable[..., int]

DAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
NO_PARENT = pl.DataFrame(schema={"chosen": pl.String})


@pytest.fixture
def measured(memory: Lake, candidate_of: Candidates) -> Callable[..., Mapping[str, Any]]:
    """Return what measures a candidate made of rows."""

    def measure(
        rows: Sequence[Row], parent: Sequence[str] = (), audited: tuple[str, ...] = (), ids: Sequence[str] = ()
    ) -> Mapping[str, Any]:
        reference = pl.DataFrame({"chosen": list(parent)}, schema={"chosen": pl.String})
        return profile(memory, candidate_of(rows, audited, ids), DAY, reference, NOW)

    return measure


Measured = Callable[..., Mapping[str, Any]]


def test_a_clean_candidate(measured: Measured, corrections: Corrections) -> None:
    rows = [*corrections(range(6)), *corrections([6, 7], split="heldout")]
    found = measured(rows, ids=["0000", "0001"])
    counts = ("row_count", "train_count", "heldout_count", "new_count", "lost_count", "max_depth")
    assert [found[name] for name in counts] == [8, 6, 2, 6, 0, 0]
    clean = ("leaked_count", "duplicate_share", "personal_count", "unchanged_count", "untrusted_count")
    assert [found[name] for name in clean] == [0, 0, 0, 0, 0]
    assert (found["human_share"], found["day"], found["measured_at"], found["dataset"]) == (
        1,
        DAY,
        NOW,
        "corrections",
    )


def test_its_row_fits_its_table(memory: Lake, measured: Measured, corrections: Corrections) -> None:
    assert memory.land("release_profiles", memory.typed("release_profiles", [measured(corrections([1]))])) == 1


@pytest.mark.parametrize(
    ("learned", "kept_apart", "leaked"),
    [
        (["my card is lost and gone"], ["My card is lost and gone!"], 1),
        (["my card is lost and gone", "My card is lost, and gone"], ["my card is lost and gone."], 2),
        (["my card is lost and gone"], ["where is my parcel from monday"], 0),
        (["my card is lost and gone"], [], 0),
    ],
)
def test_leaked(
    measured: Measured, corrections: Corrections, learned: list[str], kept_apart: list[str], leaked: int
) -> None:
    train = [row for number, query in enumerate(learned) for row in corrections([number], query=query)]
    apart = [
        row
        for number, query in enumerate(kept_apart, start=50)
        for row in corrections([number], query=query, split="heldout")
    ]
    assert measured([*train, *apart])["leaked_count"] == leaked
    assert measured(train, audited=tuple(kept_apart))["leaked_count"] == leaked


def test_lost(measured: Measured, corrections: Corrections) -> None:
    assert measured(corrections([1, 2]), ids=["0001", "00aa", "00bb"])["lost_count"] == 2


@pytest.mark.parametrize(
    ("same", "other", "share"), [(0, 4, 0.0), (2, 2, 0.5), (3, 1, 0.75)], ids=["none", "a_pair", "three"]
)
def test_duplicates(measured: Measured, corrections: Corrections, same: int, other: int, share: float) -> None:
    repeated = corrections(range(50, 50 + same), query="again and again", chosen="refund")
    assert measured([*repeated, *corrections(range(other))])["duplicate_share"] == share


def test_the_same_question_with_another_answer_is_no_duplicate(measured: Measured, corrections: Corrections) -> None:
    rows = [*corrections([1], query="again", chosen="a"), *corrections([2], query="again", chosen="b")]
    assert measured(rows)["duplicate_share"] == 0


@pytest.mark.parametrize(
    "facts",
    [
        {"query": "write to jo@example.org"},
        {"chosen": "call +44 20 7946 0958"},
        {"rejected": "card 4111 1111 1111 1111"},
        {"input": '[{"role": "system", "content": "the caller:\\n020 7946 0958"}]'},
        {"input": '[{"role": "user", "content": [{"type": "text", "text": "iban GB82 WEST 1234 5698 7654 32"}]}]'},
        {"query": "jo@example.org", "split": "heldout"},
    ],
    ids=["query", "chosen", "rejected", "earlier_turn", "part_of_a_message", "heldout"],
)
def test_personal(measured: Measured, corrections: Corrections, facts: Row) -> None:
    assert measured([*corrections([1, 2]), *corrections([3], **facts)])["personal_count"] == 1


def test_unchanged(measured: Measured, corrections: Corrections) -> None:
    rows = [
        *corrections([1], chosen="refund", rejected="refund"),
        *corrections([2], chosen="refund", rejected=None),
        *corrections([3]),
    ]
    assert measured(rows)["unchanged_count"] == 1


def test_untrusted(memory: Lake, measured: Measured, corrections: Corrections, land: Land) -> None:
    trust = [("good", DAY, True), ("bad", DAY, False), ("tomorrow", DAY + timedelta(days=1), True)]
    said = [{"day": day, "corrector": name, "is_trusted": is_trusted} for name, day, is_trusted in trust]
    rows = [*corrections([1])]
    for number, author in enumerate(("good", "bad", "tomorrow", "unknown"), start=2):
        rows += corrections([number], author_kind="ai", author_id=author, depth=1)
    assert measured(rows)["untrusted_count"] == 4
    land(memory, "corrector_trust", said)
    assert measured(rows)["untrusted_count"] == 3


def test_who_wrote_it_and_how_deep(measured: Measured, corrections: Corrections) -> None:
    rows = [*corrections([1]), *corrections([2, 3, 4], author_kind="ai", depth=2), *corrections([5], split="heldout")]
    found = measured(rows)
    assert (found["human_share"], found["max_depth"]) == (0.25, 2)


@pytest.mark.parametrize(
    ("labels", "share"),
    [
        (["a"] * 20 + ["b"] * 10, 2 / 3),
        (["a"] * 20 + ["b"] * 9, None),
        ([f"label {number}" for number in range(15)] * 2, 1 / 15),
        ([f"label {number}" for number in range(16)] * 2 + ["x"] * 3, 3 / 35),
        ([f"sentence {number}" for number in range(16)] + [f"sentence {number}" for number in range(14)], None),
    ],
    ids=["most_are_one", "29_rows", "just_labels", "more_labels", "no_labels"],
)
def test_top_label_share(measured: Measured, corrections: Corrections, labels: list[str], share: float) -> None:
    rows = [row for number, label in enumerate(labels) for row in corrections([number], chosen=label)]
    assert measured(rows)["top_label_share"] == (None if share is None else pytest.approx(share))


BEFORE = ["a"] * 20 + ["b"] * 20


@pytest.mark.parametrize(
    ("labels", "drift"),
    [
        (["a"] * 20 + ["b"] * 20, 0.0),
        (["a"] * 40, 0.5579),
        (["a"] * 20 + ["b"] * 20 + ["new"] * 60, 0.0),
        (["a"] * 15 + ["b"] * 14 + ["new"] * 60, None),
        (["new"] * 60, None),
    ],
    ids=["same", "one_of_two", "a_new_label_is_news", "too_few_known", "all_new"],
)
def test_label_drift_is_over_labels_the_parent_knows(
    measured: Measured, corrections: Corrections, labels: list[str], drift: float | None
) -> None:
    rows = [row for number, label in enumerate(labels) for row in corrections([number], chosen=label)]
    found = measured(rows, parent=BEFORE)
    assert found["label_drift"] == (None if drift is None else pytest.approx(drift, abs=1e-4))
    assert found["reference"] == "parent release"


def test_only_new_rows_can_drift(measured: Measured, corrections: Corrections) -> None:
    rows = [*corrections(range(40), chosen="a"), *corrections(range(40, 80), chosen="b")]
    found = measured(rows, parent=["b"] * 40, ids=[f"{number:04x}" for number in range(40)])
    assert (found["label_drift"], found["top_label_share"], found["new_count"]) == (0.0, 1.0, 40)


def test_before_the_first_release_a_week_of_traffic_is_the_reference(
    memory: Lake, measured: Measured, corrections: Corrections, land: Land
) -> None:
    ages = [7] * 20 + [0] * 20 + [8] * 40 + [-1] * 40
    outputs = ["aaaa"] * 40 + ["b"] * 80
    traces = [
        {"day": DAY - timedelta(days=age), "trace_id": str(number), "output": output}
        for number, (age, output) in enumerate(zip(ages, outputs, strict=True))
    ]
    land(memory, "traces", [*traces, {"day": DAY, "trace_id": "silent", "output": None}])
    found = measured(corrections(range(40), chosen="aaaa"))
    assert (found["label_drift"], found["length_drift"], found["reference"]) == (0.0, 0.0, "traffic of 7 days")


@pytest.mark.parametrize(("reference_count", "new_count", "drift"), [(30, 30, 3.0), (29, 30, None), (30, 29, None)])
def test_length_drift_is_in_the_reference_s_standard_deviations(
    measured: Measured, corrections: Corrections, reference_count: int, new_count: int, drift: float | None
) -> None:
    found = measured(corrections(range(new_count), chosen="x" * 9), parent=["x" * 6] * reference_count)
    assert found["length_drift"] == drift


def test_nothing_to_compare_with_is_not_no_drift(measured: Measured, corrections: Corrections) -> None:
    found = measured(corrections(range(40)))
    assert (found["label_drift"], found["length_drift"]) == (None, None)
