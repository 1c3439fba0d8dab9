"""How good failure modes are, where the truth is known: `python -m benchmarks.modes [--seeds N]` prints tables.

The scenario's planted modes are the kind of failure and, for a wrong label, which label was given. The same failures
are grouped by our notes, by hashed words of answer and prompt, and by those of prompts; each keeps ids across days
in its own way.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import v_measure_score
from sklearn.pipeline import make_pipeline

from benchmarks.guilty_agents import guilty_table
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings
from flywheel.ingest.files import ingest_file
from flywheel.mine.labels import weigh_signals
from flywheel.mine.named import name_modes
from flywheel.mine.repeats import find_repeats
from flywheel.scenario import bank
from flywheel.scenario.logs import as_lines, write_log
from flywheel.scenario.product import simulate_day
from flywheel.scenario.schedule import schedule
from flywheel.scenario.traffic import FailureMode, Reply, Truth
from flywheel.scenario.users import Habits

DAYS = [date(2026, 3, 2) + timedelta(days=number) for number in range(5)]
PER_DAY = 600
SEEDS = 3
MOST = 20
RIGHT = "right"  # flagged, but the answer was right

Groups = dict[str, str]  # trace id -> mode
Method = Callable[[Lake], Groups]


@dataclass(frozen=True, slots=True)
class Quality:
    """How well groups tell planted modes apart."""

    v_measure: float
    purity: float
    in_twenty: float
    other: float
    stability: float
    modes: float
    cpu_seconds: float


def main(args: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    given = parser.parse_args(args)
    found: dict[str, list[Quality]] = {name: [] for name in METHODS}
    for seed in range(given.seeds):
        with tempfile.TemporaryDirectory() as folder:
            lake, planted = build_world(Path(folder), seed)
            for name, method in METHODS.items():
                began = time.process_time()
                groups = method(lake)
                found[name].append(quality(lake, groups, planted, time.process_time() - began))
            lake.connection.close()
    sys.stdout.write(_table(found))
    sys.stdout.write(guilty_table(given.data))


def build_world(folder: Path, seed: int) -> tuple[Lake, dict[str, str]]:
    """Return a lake with five days of traffic mined up to its failures, and the planted mode of each by trace id."""
    arrivals = schedule(bank.generate_queries(200 + seed, 160), DAYS, PER_DAY, None, seed)
    answer = _small_model(seed)
    lake = Lake.open(Settings(lake=str(folder / "lake")))
    planted: dict[str, str] = {}
    for day in DAYS:
        traffic = simulate_day(arrivals[day], day, answer, Habits(), seed)
        log = folder / f"{day}.jsonl"
        write_log(log, as_lines(traffic.records))
        ingest_file(lake, str(log), now=datetime(2026, 4, 1, tzinfo=UTC))
        for table in ("traces", "feedback", "signals"):
            lake.build(table, day)
        weigh_signals(lake, day)
        lake.build("failures", day)
        find_repeats(lake, day)
        lines = lake.frame("select source_line, trace_id from traces where source_file = $log", log=str(log))
        planted |= {trace_id: planted_mode(traffic.truth[line - 1]) for line, trace_id in lines.iter_rows()}
    return lake, planted


def planted_mode(truth: Truth) -> str:
    """Return the kind of failure and, for a wrong label, which label was given."""
    if truth.failure_mode is None:
        return RIGHT
    is_label = truth.failure_mode is FailureMode.WRONG_LABEL
    return f"{truth.failure_mode.value} {truth.answered}" if is_label else truth.failure_mode.value


def _small_model(seed: int) -> Callable[[list[str]], list[Reply]]:
    """Return a router trained on six examples per label: right in a little over half of what it is asked."""
    train = bank.generate_queries(100 + seed, 6)
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=20))
    model.fit([query.text for query in train], [query.intent for query in train])

    def answer(texts: list[str]) -> list[Reply]:
        shares = model.predict_proba(texts)
        best = [(str(model.classes_[row.argmax()]), float(row.max())) for row in shares]
        return [Reply(label, 200, 10, 2, "small", confidence=share) for label, share in best]

    return answer


def by_notes(lake: Lake) -> Groups:
    """Group with what `flywheel mine` does."""
    for day in DAYS:
        name_modes(lake, day)
    found = lake.frame("select trace_id, mode_id from mode_members").iter_rows()
    return dict(found)


def by_words(column: str) -> Method:
    """Return k-means on 1,024 hashed words, with ids from the nearest earlier centroid at a cosine of 0.25."""

    def group(lake: Lake) -> Groups:
        hashing = HashingVectorizer(n_features=1024, ngram_range=(1, 2), alternate_sign=False, stop_words="english")
        centroids: list[NDArray[np.float64]] = []
        groups: Groups = {}
        for day in DAYS:
            rows = lake.frame(_TEXTS, day=day)
            vectors = hashing.transform(rows[column].str.replace_all(r"[_|]+", " ")).toarray()
            groups |= dict(zip(rows["trace_id"], _labels(vectors, centroids), strict=True))
        return groups

    return group


_TEXTS = """
select
    failures.trace_id, concat_ws(' | ', left(traces.output, 80), traces.query) as note,
    coalesce(traces.query, '') as query
from failures
inner join traces on failures.trace_id = traces.trace_id and failures.day = traces.day
where failures.day = $day order by failures.trace_id
"""


def _labels(vectors: NDArray[np.float64], centroids: list[NDArray[np.float64]]) -> list[str]:
    near = vectors @ np.array(centroids).reshape(-1, vectors.shape[1]).T if centroids else np.zeros((len(vectors), 1))
    labels = [str(row.argmax()) if row.max() >= 0.25 else "other" for row in near]
    loose = [place for place, label in enumerate(labels) if label == "other"]
    wanted = min(MOST - len(set(labels) - {"other"}), len(loose) // 3, max(1, round((len(loose) / 2) ** 0.5)))
    if wanted >= 1:
        found = KMeans(wanted, n_init=3, random_state=17).fit_predict(vectors[loose])
        for cluster in range(wanted):
            members = [loose[place] for place in np.flatnonzero(found == cluster)]
            if len(members) >= 3:
                mean = vectors[members].mean(axis=0)
                for member in members:
                    labels[member] = str(len(centroids))
                centroids.append(mean / np.linalg.norm(mean))
    return labels


METHODS: dict[str, Method] = {
    "failure notes (flywheel)": by_notes,
    "hashed words of answer and prompt": by_words("note"),
    "prompts": by_words("query"),
}


def quality(lake: Lake, groups: Groups, planted: dict[str, str], cpu_seconds: float) -> Quality:
    """Return the quality of groups over all days; V-measure and purity on true failures only."""
    rows = lake.frame("select day, trace_id from failures order by day, trace_id").with_columns(
        pl.col("trace_id").replace_strict(groups).alias("group"),
        pl.col("trace_id").replace_strict(planted).alias("truth"),
    )
    failed = rows.filter(pl.col("truth") != RIGHT)
    grouped = rows.filter(pl.col("group") != "other")
    largest = grouped["group"].value_counts(sort=True).head(MOST)["count"].sum()
    commonest = failed.group_by("group", "truth").len().group_by("group").agg(pl.col("len").max())["len"].sum()
    return Quality(
        v_measure=float(v_measure_score(failed["truth"], failed["group"])),
        purity=commonest / failed.height,
        in_twenty=largest / rows.height,
        other=1 - grouped.height / rows.height,
        stability=_stability(failed),
        modes=grouped["group"].n_unique(),
        cpu_seconds=cpu_seconds,
    )


def _stability(failed: pl.DataFrame) -> float:
    """Return the share of failures whose planted mode has the same group, by majority, as on the day before."""
    days = sorted(failed["day"].unique())
    kept = total = 0
    for before, after in pairwise(days):
        majority = [_majority(failed.filter(pl.col("day") == day)) for day in (before, after)]
        for truth, (group, count) in majority[1].items():
            if truth in majority[0]:
                total += count
                kept += count * (majority[0][truth][0] == group)
    return kept / total


def _majority(rows: pl.DataFrame) -> dict[str, tuple[str, int]]:
    found: dict[str, Counter[str]] = {}
    for truth, group in rows.select("truth", "group").iter_rows():
        found.setdefault(truth, Counter())[group] += 1
    return {truth: (min(counts, key=lambda g: (-counts[g], g)), counts.total()) for truth, counts in found.items()}


def _table(found: dict[str, list[Quality]]) -> str:
    head = "| grouped by | V-measure | purity | in 20 modes | other | same id next day | modes | CPU s |"
    lines = ["\nFive days of the scenario\n", head, "|---|---|---|---|---|---|---|---|"]
    for name, runs in found.items():
        shares = [_range([getattr(run, part) for run in runs]) for part in ("v_measure", "purity", "in_twenty")]
        shares += [_range([getattr(run, part) for run in runs]) for part in ("other", "stability")]
        means = [np.mean([run.modes for run in runs]), np.mean([run.cpu_seconds for run in runs])]
        lines.append(f"| {' | '.join([name, *shares, f'{means[0]:.0f}', f'{means[1]:.1f}'])} |")
    return "\n".join(lines) + "\n"


def _range(values: Sequence[float]) -> str:
    return f"{np.mean(values):.2f} ({min(values):.2f}-{max(values):.2f})"


if __name__ == "__main__":
    main()
