"""A real LLM's real failures: GSM8K's published solutions, mined without the answer key, then scored with it."""

from datetime import timedelta
from pathlib import Path

from flows.demo.people import traces_of
from flows.demo.results import Gsm8kResult, SignalScore
from flows.demo.world import FIRST_DAY, SEED
from flows.ingest import ingest_logs
from flows.mine import mine_failures
from flywheel.core.connections import open_lake
from flywheel.scenario import datasets
from flywheel.scenario.gsm8k import solutions_as_traffic
from flywheel.scenario.logs import write_log

DAY = FIRST_DAY - timedelta(days=60)  # invented: the solutions carry no time
THRESHOLD = 0.5  # a failure is what is more likely one than not

_FIRED = "select signal, list(trace_id) as trace_ids from signals where day = $day group by signal order by signal"
_FAILING = "select trace_id from failures where day = $day and p_failure >= $threshold"


def mine_gsm8k(found: datasets.Found, folder: Path) -> Gsm8kResult:
    """Ingest and mine the solutions, then return precision and recall of each signal and of the label model."""
    traffic = solutions_as_traffic(datasets.load_gsm8k_solutions(found.path), DAY, SEED)
    log = folder / "gsm8k.jsonl"
    write_log(log, traffic.records)
    ingest_logs(str(log))
    mine_failures(DAY)
    with open_lake() as lake:
        wrong = {trace_id for trace_id, truth in traces_of(lake, traffic.truth) if truth.is_failure}
        fired = dict(lake.frame(_FIRED, day=DAY).iter_rows())
        failing = lake.frame(_FAILING, day=DAY, threshold=THRESHOLD)["trace_id"].to_list()
    return Gsm8kResult(
        signals=tuple(_score(signal, set(trace_ids), wrong) for signal, trace_ids in fired.items()),
        combined=_score("combined", set(failing), wrong),
        traces=len(traffic.truth),
        failures=len(wrong),
    )


def _score(signal: str, flagged: set[str], wrong: set[str]) -> SignalScore:
    hits = len(flagged & wrong)
    return SignalScore(
        signal=signal,
        fired=len(flagged),
        precision=hits / len(flagged) if flagged else 0.0,
        recall=hits / len(wrong) if wrong else 0.0,
    )
