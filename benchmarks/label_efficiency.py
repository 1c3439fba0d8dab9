"""Count the corrections that each way of choosing needs: `python -m benchmarks.label_efficiency [--data FILE]`.

Prints Markdown tables; `--plot` draws the learning curves. Every arm of a seed starts from the same production model
and sees the same traffic and the same complaints; intervals are percentiles of a paired bootstrap over seeds.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.label_arms import ARMS, VARIANTS
from benchmarks.label_plot import draw
from benchmarks.label_world import Arm, Plan, TextSet, banking77, learning_curve, read_set, scenario
from flywheel.stats.intervals import Interval

Curves = NDArray[np.float64]  # (seeds, rounds + 1)

_RESAMPLES = 2_000
_REFERENCE = "random traffic"


def measure(
    texts: TextSet, arms: Mapping[str, Arm], plan: Plan, seeds: Sequence[int], kept: Path | None = None
) -> dict[str, Curves]:
    """Return the learning curves of each arm, one row per seed; `kept` gets each as a line of JSON once done."""
    curves: dict[str, list[NDArray[np.float64]]] = {name: [] for name in arms}
    for seed in seeds:
        for name, arm in arms.items():
            curves[name].append(learning_curve(texts, arm, plan, seed))
            if kept is not None:
                line = {"set": texts.name, "arm": name, "seed": seed, "accuracy": curves[name][-1].tolist()}
                with kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
    return {name: np.array(own) for name, own in curves.items()}


def needed(curve: NDArray[np.float64], accuracy: float, budget: int) -> float:
    """Return how many corrections a curve needs to reach an accuracy, infinity when it never does."""
    reached = np.maximum.accumulate(curve)
    if accuracy > reached[-1]:
        return float("inf")
    after = int(np.argmax(reached >= accuracy))
    if after == 0:
        return 0.0
    step = (accuracy - reached[after - 1]) / (reached[after] - reached[after - 1])
    return budget * (after - 1 + float(step))


def compared(curves: Curves, reference: Curves, at: int, budget: int) -> tuple[Interval, Interval]:
    """Return corrections needed for what the reference has after `at` rounds, and their ratio to the reference's."""
    draws = np.random.default_rng(0).integers(0, len(curves), size=(_RESAMPLES, len(curves)))
    samples = [np.arange(len(curves)), *draws]
    counts = np.array([needed(curves[s].mean(axis=0), reference[s].mean(axis=0)[at], budget) for s in samples])
    spans = []
    for values in (counts, counts / (at * budget)):
        low, high = np.percentile(values[1:], [2.5, 97.5], method="nearest")
        spans.append(Interval(float(values[0]), float(low), float(high)))
    return spans[0], spans[1]


def table(curves: Mapping[str, Curves], plan: Plan, at: int) -> list[str]:
    """Return a Markdown table: what each arm needs for what random traffic reaches after `at` rounds."""
    reference = curves[_REFERENCE]
    goal = reference.mean(axis=0)[at]
    lines = [
        f"\nGoal: the {goal:.3f} that {_REFERENCE} reaches with {at * plan.budget} corrections.\n",
        "| chosen by | corrections needed | share of random's | accuracy with as many as random |",
        "|---|---|---|---|",
    ]
    for name, own in curves.items():
        count, ratio = compared(own, reference, at, plan.budget)
        gain = own.mean(axis=0)[at]
        lines.append(f"| {name} | {_span(count, 0)} | {_span(ratio, 2)} | {gain:.3f} |")
    return lines


def _span(interval: Interval, digits: int) -> str:
    if interval.estimate == float("inf"):
        return "not reached"
    return f"{interval.estimate:.{digits}f} ({interval.low:.{digits}f}-{interval.high:.{digits}f})"


def sets_of(data: Path | None) -> list[TextSet]:
    """Return the sets to measure on: the file that was named, else Banking77 where it is, and the scenario."""
    if data is not None:
        return [read_set(data)]
    found = banking77()
    if found is None:
        print("Banking77 is not here (FLYWHEEL_DATA, or shared/data beside the checkout): only the scenario.")
    return [texts for texts in (found, scenario()) if texts is not None]


def main() -> None:
    """Measure all arms on all sets and print the tables."""
    usual = Plan()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="CSV or JSONL with text and label, instead of the usual sets")
    parser.add_argument("--only", help="one of the usual sets: banking77 or scenario")
    parser.add_argument("--arms", default=";".join(ARMS), help="names, by semicolons; 'variants' for the ablation")
    parser.add_argument("--seeds", default="101,102,103,104,105")
    parser.add_argument("--rounds", type=int, default=usual.rounds)
    parser.add_argument("--budget", type=int, default=usual.budget)
    parser.add_argument("--traffic", type=int, default=usual.traffic)
    parser.add_argument("--start", type=int, default=usual.start)
    parser.add_argument("--curves", type=Path, help="file to which each curve is appended as a line of JSON")
    parser.add_argument("--plot", type=Path, help="folder for one SVG per set")
    asked = parser.parse_args()
    plan = Plan(asked.rounds, asked.budget, asked.traffic, asked.start)
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    named = list(VARIANTS) if asked.arms == "variants" else asked.arms.split(";")
    arms = {name: (ARMS | VARIANTS)[name] for name in dict.fromkeys([_REFERENCE, *named])}
    for texts in sets_of(asked.data):
        if asked.only not in (None, texts.name):
            continue
        curves = measure(texts, arms, plan, seeds, asked.curves)
        size = f"{len(texts.texts)} texts, {len(set(texts.labels))} labels"
        print(f"\n## {texts.name}: {size}; {plan}, {len(seeds)} seeds")
        for at in (plan.rounds // 2, plan.rounds):
            print("\n".join(table(curves, plan, at)), flush=True)
        if asked.plot is not None:
            draw(asked.plot / f"label-efficiency-{texts.name}.svg", texts.name, curves, plan.budget)


if __name__ == "__main__":
    main()
