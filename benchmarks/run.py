"""Measure: `python -m benchmarks.run [--traces 200000] [--days 30] [--repetitions 3]`; prints Markdown tables."""

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.harness import Case, compare
from flywheel.llm.local.server import LocalProvider
from flywheel.scenario.scale import write_traces


def _case(name: str, work: str, folder: Path) -> Case:
    return Case(name, ("benchmarks.cases", work, str(folder)))


def main() -> None:
    """Run every comparison and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=30, help="how many days the traces are of")
    parser.add_argument("--repetitions", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_traces(folder, chosen.traces, 1, 100_000, chosen.days)
        size = sum(log.stat().st_size for log in folder.glob("*.jsonl")) / 1e6
        print(f"\nIngest {chosen.traces:,} records, {size:,.0f} MB\n")
        ingest = [
            _case("flywheel ingest", "ingest", folder),
            _case("duckdb read_json -> Parquet", "read_json", folder),
        ]
        print("\n".join(compare(ingest, chosen.repetitions)))
        print("\nMine the busiest day of them, then all days in one process\n")
        for work in ("mine", "mine_all"):
            print("\n".join(compare([_case(f"flywheel {work}", work, folder)], 1)))
        with LocalProvider(folder / "models") as local:
            os.environ["BENCHMARK_BASE_URL"] = local.base_url
            print("\n3,000 chat completions against the local provider (client side)\n")
            clients = [
                _case("flywheel client", "our_client", folder),
                _case("bare openai client", "bare_client", folder),
            ]
            print("\n".join(compare(clients, chosen.repetitions)))


if __name__ == "__main__":
    main()
