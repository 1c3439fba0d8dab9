"""The label efficiency study counts what it says it counts, on texts small enough to know the answer."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from benchmarks.label_arms import ARMS
from benchmarks.label_efficiency import compared, measure, needed, table
from benchmarks.label_plot import draw
from benchmarks.label_world import Plan, Product, TextSet, read_set

PLAN = Plan(rounds=2, budget=5, traffic=60, start=2)


@pytest.fixture(scope="module")
def texts() -> TextSet:
    rng = random.Random(1)
    words = {label: [f"{label}{number}" for number in range(12)] for label in ("card", "rate", "loan", "cash")}
    said = [(" ".join(rng.sample(words[label], 3)), label) for label in words for _ in range(60)]
    rng.shuffle(said)
    return TextSet.of("small", said[:200], said[200:])


@pytest.mark.parametrize(
    ("accuracy", "count"), [(0.5, 0), (0.55, 5), (0.6, 10), (0.7, 25), (0.8, 30), (0.81, float("inf"))]
)
def test_corrections_needed_are_read_off_the_curve(accuracy: float, count: float) -> None:
    curve = np.array([0.5, 0.6, 0.58, 0.8])  # a dip does not take away what was reached
    assert needed(curve, accuracy, 10) == pytest.approx(count)


def test_the_ratio_is_to_what_random_spent() -> None:
    random_curves = np.array([[0.5, 0.55, 0.6, 0.65, 0.7]] * 3)
    own = np.array([[0.5, 0.6, 0.7, 0.75, 0.8]] * 3)
    count, ratio = compared(own, random_curves, at=4, budget=10)
    assert (count.estimate, ratio.estimate, ratio.low, ratio.high) == pytest.approx((20, 0.5, 0.5, 0.5))


@pytest.mark.parametrize("name", ARMS)
def test_an_arm_chooses_calls_of_the_round_once_each(texts: TextSet, name: str) -> None:
    shown = Product(texts, PLAN, seed=1).serve(0)
    chosen = list(ARMS[name](shown))[: PLAN.budget]
    assert 0 < len(set(chosen)) == len(chosen)
    assert set(chosen) <= set(range(PLAN.traffic))


def test_the_same_seed_gives_the_same_curve_and_corrections_teach(texts: TextSet) -> None:
    arms = {name: ARMS[name] for name in ("random traffic", "flywheel")}
    first, second = (measure(texts, arms, PLAN, [1, 2]) for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in arms)
    assert first["flywheel"][:, -1].mean() > first["flywheel"][:, 0].mean()
    assert len(table(first, PLAN, at=2)) == 5


def test_any_labelled_file_can_be_dropped_in(tmp_path: Path) -> None:
    rows = [{"text": f"text {number}", "label": "even" if number % 2 == 0 else "odd"} for number in range(20)]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    (tmp_path / "a.csv").write_text("text,label\n" + "\n".join(f"{row['text']},{row['label']}" for row in rows))
    for name in ("a.jsonl", "a.csv"):
        found = read_set(tmp_path / name)
        assert (len(found.texts), len(found.test_labels)) == (15, 5)


def test_the_plot_names_every_arm(tmp_path: Path) -> None:
    draw(
        tmp_path / "plot.svg",
        "a & b",
        {"random traffic": np.ones((2, 3)) * [1, 2, 3], "flywheel": np.ones((2, 3))},
        5,
    )
    svg = (tmp_path / "plot.svg").read_text()
    assert svg.count("<path") == 2
    assert "a &amp; b" in svg
    assert "flywheel" in svg
