"""Measure the lake: `python -m benchmarks.lake [--rows 1000000] [--repetitions 5] [--parts commit,small,diff,...]`.

Against deltalake, pyiceberg and bare Parquet, each piece of work in a process of its own, the contenders in turn. An
alternative that is not installed is left out and said to be: `uv pip install --group bench`, or into another folder
with `--target FOLDER` and PYTHONPATH=FOLDER. Prints Markdown tables of medians; the ratio is taken repetition by
repetition.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from benchmarks.lake_cases import CONTENDERS
from benchmarks.lake_rows import write_rows

ALTERNATIVE = "bare Parquet"
_NEEDS = {"deltalake": "deltalake", "pyiceberg": "pyiceberg"}
PARTS = ("commit", "small", "diff", "versions", "lineage")
Found = dict[str, float]


def run(module: str, *arguments: str) -> Found:
    """Run one piece of work in a process of its own and return what it measured.

    Raises:
        CalledProcessError: it failed.

    """
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments],
        stdout=subprocess.PIPE, check=True, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    return dict(json.loads(done.stdout.splitlines()[-1]))


def present() -> list[str]:
    """Return the contenders that can be measured here, the reference last."""
    return [name for name in CONTENDERS if name not in _NEEDS or find_spec(_NEEDS[name])]


def in_turn(work: dict[str, Callable[[], Found]], repetitions: int) -> dict[str, list[Found]]:
    """Run each piece of work in turn, so many times."""
    found: dict[str, list[Found]] = {name: [] for name in work}
    for _ in range(repetitions):
        for name, one in work.items():
            found[name].append(one())
    return found


def table(found: dict[str, list[Found]], reference: str, unit: float = 1.0) -> list[str]:
    """Return medians as Markdown; `unit` is how many of what is shown are in a second."""
    kinds = ("cpu_seconds", "wall_seconds")
    lines = ["| case | CPU | wall | CPU against the reference | wall |", "|---|---|---|---|---|"]
    for name, runs in found.items():
        cpu, wall = (statistics.median(one[kind] for one in runs) * unit for kind in kinds)
        ratios = [
            statistics.median(one[kind] / other[kind] for one, other in zip(runs, found[reference], strict=True))
            for kind in kinds
        ]
        lines.append(f"| {name} | {cpu:.1f} | {wall:.1f} | {ratios[0]:.2f} | {ratios[1]:.2f} |")
    return lines


def commits(folder: Path, repetitions: int) -> None:
    """Print what a commit of all rows costs, and reading it back by its version when a newer one is there."""
    written: dict[str, list[Found]] = {name: [] for name in present()}
    read_back: dict[str, list[Found]] = {name: [] for name in present()}
    for _ in range(repetitions):
        for name, runs in written.items():
            done = run("lake_cases", "commit", str(folder), name)
            runs.append(done)
            read_back[name].append(run("lake_cases", "read", str(folder), name, str(int(done["version"]))))
    _print("Commit of all rows, seconds", table(written, ALTERNATIVE))
    _print("All rows read back by version, seconds", table(read_back, ALTERNATIVE))


def small_commits(folder: Path, repetitions: int) -> None:
    """Print what one commit of 100 rows costs."""
    work = {name: lambda name=name: run("lake_cases", "small", str(folder), name) for name in present()}
    _print("A commit of 100 rows, milliseconds", table(in_turn(work, repetitions), ALTERNATIVE, 1_000))


def diffs(folder: Path, repetitions: int) -> None:
    """Print what comparing two releases costs against reading both."""
    run("lake_history", "prepare_diff", str(folder))
    work = {
        "flywheel releases diff": lambda: run("lake_history", "diff", str(folder)),
        "reading both": lambda: run("lake_history", "read_both", str(folder)),
    }
    _print("Two releases of all rows, seconds", table(in_turn(work, repetitions), "reading both"))


def versions(folder: Path, counts: Sequence[int]) -> None:
    """Print seconds of looking at versions, by how many there are."""
    found = [run("lake_history", "versions", str(folder), str(count)) for count in counts]
    lines = [
        f"| milliseconds with | {' | '.join(f'{count:,}' for count in counts)} |",
        "|---" * (len(counts) + 1) + "|",
    ]
    lines += [f"| {name} | {' | '.join(f'{1_000 * one[name]:.1f}' for one in found)} |" for name in found[0]]
    _print("Many versions", lines)


def lineage(folder: Path, rows: int) -> None:
    """Print seconds of one correction's lineage."""
    found = run("lake_history", "lineage", str(folder), str(rows), "100")
    lines = ["| one correction | milliseconds |", "|---|---|"]
    _print(f"Lineage among {rows:,}", [*lines, *(f"| {name} | {1_000 * took:.0f} |" for name, took in found.items())])


def _print(title: str, lines: Sequence[str]) -> None:
    print(f"\n{title}\n", *lines, sep="\n", flush=True)


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--versions", type=int, nargs="+", default=[10, 100, 1_000])
    parser.add_argument("--lineage", type=int, default=10_000_000, help="rows of each table")
    parser.add_argument("--parts", default=",".join(PARTS), help="which to measure")
    chosen = parser.parse_args()
    for name in sorted(set(CONTENDERS) - set(present())):
        print(f"Not measured, not installed: {name} (uv pip install --group bench).")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rows(folder / "rows.parquet", chosen.rows)
        parts: dict[str, Callable[[], None]] = {
            "commit": lambda: commits(folder, chosen.repetitions),
            "small": lambda: small_commits(folder, chosen.repetitions),
            "diff": lambda: diffs(folder, chosen.repetitions),
            "versions": lambda: versions(folder, chosen.versions),
            "lineage": lambda: lineage(folder, chosen.lineage),
        }
        for part in chosen.parts.split(","):
            parts[part]()


if __name__ == "__main__":
    main()
