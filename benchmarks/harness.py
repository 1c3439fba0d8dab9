"""Run cases as processes of their own, in turn, and report medians of CPU time, wall time and peak memory.

Single wall times on a shared machine mean little: the figures to quote are CPU seconds and the ratio to the named
alternative, measured in the same run, repetition by repetition.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """One finished process."""

    cpu_seconds: float
    wall_seconds: float
    peak_gb: float


@dataclass(frozen=True, slots=True)
class Case:
    """A named module of benchmarks/ with its arguments."""

    name: str
    arguments: tuple[str, ...]


def run_once(case: Case) -> Run:
    """Run a case once; raises CalledProcessError when it fails."""
    command = [sys.executable, "-m", *case.arguments]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Run(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, peak / 1e9)


def compare(cases: Sequence[Case], repetitions: int) -> list[str]:
    """Run all cases in turn, `repetitions` times, and return a Markdown table; the last case is the alternative."""
    runs: dict[str, list[Run]] = {case.name: [] for case in cases}
    for _ in range(repetitions):
        for case in cases:
            runs[case.name].append(run_once(case))
    reference = runs[cases[-1].name]
    lines = ["| case | CPU s | wall s | peak GB | CPU against the last row |", "|---|---|---|---|---|"]
    for case in cases:
        own = runs[case.name]
        ratio = statistics.median(a.cpu_seconds / b.cpu_seconds for a, b in zip(own, reference, strict=True))
        cpu, wall, peak = (
            statistics.median(getattr(run, name) for run in own)
            for name in ("cpu_seconds", "wall_seconds", "peak_gb")
        )
        lines.append(f"| {case.name} | {cpu:.1f} | {wall:.1f} | {peak:.2f} | {ratio:.2f} |")
    return lines
