"""Measure near duplicates: `python -m benchmarks.near_duplicates [--bench-root FOLDER] [--index 1000000]`.

Ours against datatrove, datasketch and rensa at equal parameters (word 3-grams, 128 permutations, 16 bands of 8), each
in a process of its own, in turn. A peer takes part where FOLDER has its environment: FOLDER/v1 with datasketch and
rensa, FOLDER/v2 with datatrove. `--index` measures a new day against an index of that many texts instead.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.corpus import write_corpus

OURS = "flywheel, 16 x 8 as the others"
_DEFAULT = "flywheel, 21 x 6, J >= .8 verified (what the wheel uses)"
# name of the case: where its Python is below the folder of peers (ours: none), and what the runner calls it
_CASES = {
    OURS: ("", "flywheel"),
    _DEFAULT: ("", "flywheel_default"),
    "rensa 16 x 8": ("v1", "rensa"),
    "datasketch 16 x 8": ("v1", "datasketch"),
    "datatrove 16 x 8": ("v2", "datatrove"),
}

_COLUMNS = ("case", "CPU s, section", "CPU s, all", "peak GB", "recall at J >= .8", "precision", "ours : this")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One finished process: CPU of the timed section (from texts to the texts to drop) and of all of it."""

    section_seconds: float
    cpu_seconds: float
    peak_gb: float
    recall: float
    precision: float


def run_case(python: str, work: str, folder: Path) -> Outcome:
    """Run one case in a process of its own and score what it would drop."""
    command = [python, str(Path(__file__).parent / "near_duplicate_cases.py"), work, str(folder)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1]), "LOGURU_LEVEL": "ERROR"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    told, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    measured = json.loads(told.splitlines()[-1])
    recall, precision = _score(folder, set(measured.pop("dropped")))
    return Outcome(**measured, recall=recall, precision=precision)


def _score(folder: Path, dropped: set[int]) -> tuple[float, float]:
    """Return the share of planted pairs at J >= .8 of which one is dropped, and of the dropped that were planted."""
    import polars as pl

    truth = pl.read_parquet(folder / "truth.parquet")
    family = set(truth["dup"]) | set(truth["orig"])
    close = truth.filter(pl.col("jac") >= 0.8)
    found = [dup in dropped or orig in dropped for dup, orig in close.select("dup", "orig").iter_rows()]
    return sum(found) / max(len(found), 1), len(dropped & family) / max(len(dropped), 1)


def compare(folder: Path, peers: Path | None, repetitions: int) -> list[str]:
    """Run every case there is an environment for, in turn, and return a Markdown table."""
    pythons = {name: str(peers / venv / "bin/python") for name, (venv, _) in _CASES.items() if venv and peers}
    present = [name for name, (venv, _) in _CASES.items() if not venv or Path(pythons.get(name, "")).is_file()]
    runs: dict[str, list[Outcome]] = {name: [] for name in present}
    for repetition in range(repetitions):
        for name in present:
            if repetition == 0 or _CASES[name][1] not in ("datasketch", "datatrove"):  # once: they take minutes
                runs[name].append(run_case(pythons.get(name, sys.executable), _CASES[name][1], folder))
    lines = [f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"]
    own = _middle(runs[OURS], "section_seconds")
    lines += [_line(name, outcomes, own) for name, outcomes in runs.items()]
    if missing := sorted(set(_CASES) - set(present)):
        lines.append(f"\nNot measured, no environment: {', '.join(missing)}.")
    return lines


def _line(name: str, runs: list[Outcome], own: float) -> str:
    section, cpu, peak = (_middle(runs, each) for each in ("section_seconds", "cpu_seconds", "peak_gb"))
    recall, precision = (_middle(runs, each) for each in ("recall", "precision"))
    return (
        f"| {name} | {section:.1f} | {cpu:.1f} | {peak:.2f} | {recall:.4f} | {precision:.4f} | {own / section:.2f} |"
    )


def _middle(runs: list[Outcome], name: str) -> float:
    return statistics.median(getattr(run, name) for run in runs)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=200_000)
    parser.add_argument("--bench-root", type=Path, default=os.environ.get("BENCH_ROOT"), help="where the peers live")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--index", type=int, help="texts of earlier days: measure a new day of 20,000 against them")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if chosen.index:
            from benchmarks.text_index import compare_days

            print("\n".join(compare_days(folder, chosen.index)))
            return
        size = write_corpus(folder, chosen.documents)
        print(f"\nNear duplicates of {chosen.documents:,} documents, {size / 1e6:,.0f} MB\n")
        print("\n".join(compare(folder, chosen.bench_root, chosen.repetitions)))


if __name__ == "__main__":
    main()
