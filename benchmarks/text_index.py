"""A new day against the index of earlier days, and the same by comparing all texts anew.

`compare_days` fills a lake with failing queries, a day at a time through `find_repeats`, and then runs each of the
two in a process of its own: `python -m benchmarks.text_index CASE FOLDER`.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from benchmarks.corpus import texts

_FIRST = date(2026, 1, 1)
_DAY_SIZE = 20_000
_FAILING = """
select failures.trace_id as id, traces.query as text
from failures inner join traces on failures.trace_id = traces.trace_id and failures.day = traces.day order by id
"""


def compare_days(folder: Path, count: int) -> list[str]:
    """Fill an index of about `count` texts, mine a day of 20,000 more, and return a Markdown table."""
    os.environ["FLYWHEEL_LAKE"] = str(folder / "lake")
    days = _fill(count)
    lines = [f"\nA day of {_DAY_SIZE:,} failing queries after {days} days with {count:,}\n"]
    lines += [
        "| case | CPU s | peak GB | groups | CPU against anew |",
        "|---|---|---|---|---|",
    ]
    measured = {case: _run(case, folder) for case in CASES}
    for case, told in measured.items():
        ratio = told["cpu"] / measured["all texts anew"]["cpu"]
        cells = [f"{told['cpu']:.2f}", f"{told['peak']:.2f}", f"{told['groups']:,}"]
        lines.append(f"| {case} | {' | '.join(cells)} | {ratio:.3f} |")
    return lines


def _fill(count: int) -> int:
    """Land and mine every day but the last one, which is only landed; return how many were mined."""
    from flywheel.core.connections import open_lake
    from flywheel.mine.repeats import find_repeats

    with open_lake() as lake:
        days = 0
        for number, block in enumerate(texts(count + _DAY_SIZE)):
            day = _FIRST + timedelta(days=number)
            rows = block.select(
                trace_id=pl.format("trace-{}", pl.col("id").cast(pl.String).str.zfill(9)), query="text"
            )
            for table in ("traces", "failures"):
                typed = lake.frame(f"select * exclude (run_id, day) from lake.{table} limit 0")  # noqa: S608 - ours
                shared = rows.select(name for name in rows.columns if name in typed.columns)
                lake.replace(table, day, pl.concat([typed, shared], how="diagonal"))
            if (number + 1) * _DAY_SIZE <= count:
                find_repeats(lake, day)
                days += 1
    return days


def _run(case: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.text_index", case, str(folder)]
    told = subprocess.run(
        command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    return dict(json.loads(told.splitlines()[-1]))


def new_day() -> int:
    """Mine the newest day's repeats against the index; return its groups."""
    from flywheel.core.connections import open_lake
    from flywheel.mine.repeats import find_repeats

    with open_lake() as lake:
        return find_repeats(lake, lake.scalar("select max(day) from failures"))


def all_anew() -> int:
    """Compare all failing queries of all days; return the groups."""
    from flywheel.core.connections import open_lake
    from flywheel.text.near_duplicates import near_duplicates

    with open_lake() as lake:
        return int(near_duplicates(lake.frame(_FAILING))["is_representative"].sum())


CASES: dict[str, Callable[[], int]] = {
    "new day against the index": new_day,
    "the same day again": new_day,
    "all texts anew": all_anew,
}


def _measure(case: str) -> dict[str, float]:
    import flywheel.mine.repeats  # noqa: F401 - imports and the first attaching are the same for all
    from flywheel.core.connections import open_lake

    with open_lake() as lake:
        lake.scalar("select count(*) from failures")
    began = sum(os.times()[:2])
    groups = CASES[case]()
    ended = sum(os.times()[:2])
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
    return {"cpu": ended - began, "peak": peak, "groups": groups}


if __name__ == "__main__":
    os.environ["FLYWHEEL_LAKE"] = str(Path(sys.argv[2]) / "lake")
    print(json.dumps(_measure(sys.argv[1])))
