"""Three families: fix the call, look at the rows, try again."""

import inspect

import pytest

from flywheel.core import errors

CLASSES = [found for _, found in inspect.getmembers(errors, inspect.isclass) if found.__module__ == errors.__name__]
FAMILIES = (errors.UsageError, errors.DataError, errors.TransientError)
LEAVES = [found for found in CLASSES if found not in (errors.FlywheelError, *FAMILIES)]


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_each_error_is_of_exactly_one_family(leaf: type[Exception]) -> None:
    assert [issubclass(leaf, family) for family in FAMILIES].count(True) == 1


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_the_drawing_shows_each_error(leaf: type[Exception]) -> None:
    assert leaf.__name__ in (errors.__doc__ or "").split()


def test_gate_and_drift_say_which_in_order() -> None:
    assert errors.GateRefused("corrections", ["b", "a"], 3).failed == ["a", "b"]
    assert errors.DriftFound("2026-01-01", ["task", "app"]).columns == ["app", "task"]


def test_nothing_known_is_said() -> None:
    assert str(errors.UnknownTable("x", [])) == "No file under sql/ defines table 'x'. Tables: none."


def test_long_reply_is_cut() -> None:
    assert len(str(errors.Unparsed("x" * 10_000, "a label"))) < 300
