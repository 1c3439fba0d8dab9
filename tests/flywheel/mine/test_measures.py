import polars as pl
import pytest

from flywheel.mine.measures import harm_of, measure, mend_of, pick_examples


def members(count: int, p_failure: float = 0.8, harm: float = 0.7, mend: float | None = None) -> pl.DataFrame:
    columns = {"p_failure": [p_failure] * count, "harm": [harm] * count, "mend": [mend] * count}
    return pl.DataFrame(columns, schema={"p_failure": pl.Float64, "harm": pl.Float64, "mend": pl.Float64})


def test_prevalence_counts_each_failure_by_its_probability() -> None:
    found = measure(members(10), 100, (0, 0))
    assert found.prevalence.estimate == pytest.approx(0.08)
    assert 0.03 < found.prevalence.low < 0.08 < found.prevalence.high < 0.16
    assert found.worth == pytest.approx(0.08 * 0.7 * 0.5)


def test_the_lower_bound_comes_nearer_as_failures_add_up() -> None:
    few, many = measure(members(5), 100, (0, 0)), measure(members(500), 10_000, (0, 0))
    assert few.worth == pytest.approx(many.worth)
    assert few.worth_low < many.worth_low < many.worth


@pytest.mark.parametrize(("accepted", "expected"), [((0, 0), 0.5), ((4, 4), 0.75), ((0, 4), 0.25)])
def test_what_was_accepted_so_far_says_what_can_be_mended(accepted: tuple[int, int], expected: float) -> None:
    assert measure(members(5), 100, accepted).fixability == pytest.approx(expected)


def test_a_likely_failure_counts_more_than_an_unlikely_one() -> None:
    both = pl.concat([members(1, p_failure=0.9, harm=1.0, mend=1.0), members(1, p_failure=0.1, harm=0.0, mend=0.0)])
    found = measure(both, 10, (0, 0))
    assert (found.severity, found.fixability) == (pytest.approx(0.9), pytest.approx(0.9))


def test_harm_is_that_of_the_worst_signal() -> None:
    rows = pl.DataFrame(
        {
            "trace_id": ["a", "a", "b"],
            "signal": ["rephrase", "thumbs_down", "of_your_own"],
            "strength": [1.0, 0.5, 0.5],
        }
    )
    assert dict(harm_of(rows).iter_rows()) == {"a": 0.5, "b": 0.3}


def test_a_known_answer_mends_and_a_call_that_failed_cannot() -> None:
    rows = pl.DataFrame(
        {
            "signals": [["failed_call"], ["failed_call"], ["invalid_structure", "rephrase"], ["rephrase"]],
            "meant": ["refund", None, None, None],
        }
    )
    assert mend_of(rows).to_list() == [1.0, 0.1, 0.8, None]


def test_examples_are_near_and_of_different_groups_first() -> None:
    rows = pl.DataFrame(
        {
            "trace_id": ["a", "b", "c", "d"],
            "similarity": [0.9, 0.8, 0.7, 0.6],
            "group_id": ["g", "g", None, "h"],
        }
    )
    assert pick_examples(rows, 3) == ["a", "c", "d"]
    assert pick_examples(rows, 10) == ["a", "c", "d", "b"]
