"""Time the choice of a day's hard examples: `python -m benchmarks.selection [--failures 100000] [--budget 200]`."""

import argparse
import resource
import sys
import time
from datetime import date

from benchmarks.label_world import scenario
from flywheel.core.lake import Lake
from flywheel.mine.selection_day import Quota, choose_examples

_DAY = date(2026, 1, 1)
# Failures with the scenario's questions in random pairs, 20 modes, a group of near-duplicates for every second one.
_FAILING = """
create temp table failing as
select
    $day::date as day, 't' || number as trace_id, number % 20 as mode,
    texts[1 + (hash(number) % len(texts))::bigint] || ' '
    || texts[1 + (hash(number + 7) % len(texts))::bigint] as query,
    0.3 + 0.7 * (hash(number, 1) % 1000) / 1000 as p_failure, (hash(number, 2) % 1000) / 1000 as confidence,
    1 + number % 3 as represents
from (select $texts::varchar[] as texts), range($count) as numbers (number)
"""
_LANDED = {
    "traces": "select day, trace_id, query, 'answer ' || mode as output, confidence from failing",
    "failures": "select day, trace_id, p_failure, ['thumbs_down'] as signals from failing",
    "duplicates": "select day, trace_id, trace_id as group_id, true as is_representative, represents as group_size "
    "from failing",
    "mode_members": "select day, trace_id, 'm' || mode as mode_id from failing",
    "failure_modes": "select day, 'm' || mode as mode_id, count(*) as size, count(*) as total_size from failing "
    "group by all",
}


def main() -> None:
    """Fill a lake in memory, choose, and print CPU seconds and what the choice added to peak memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--failures", type=int, default=100_000)
    parser.add_argument("--budget", type=int, default=200)
    asked = parser.parse_args()
    with Lake.in_memory() as lake:
        lake.connection.execute(_FAILING, {"day": _DAY, "texts": scenario().texts, "count": asked.failures})
        for table, query in _LANDED.items():
            lake.connection.execute(f"insert into {table} by name {query}")
        before, began = _peak_mb(), time.process_time()
        chosen = choose_examples(lake, _DAY, Quota(asked.budget, asked.budget // 10))
        seconds = time.process_time() - began
    print(f"{chosen} of {asked.failures:,} failures: {seconds:.1f} CPU s, peak {before:.0f} -> {_peak_mb():.0f} MB")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    main()
