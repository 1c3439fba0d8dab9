"""Real calls whose truth is known, as rows of raw_traces and raw_feedback; the truth stays apart.

Each loader reads a folder of the public data (docs/data) and returns a `Labelled`. Nothing of the truth is in the
rows: rewards, correctness and the metric that is taken for the truth are left out.
"""

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from csv import DictReader
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from math import exp
from pathlib import Path
from typing import Any

from flywheel.scenario.bank import generate_queries
from flywheel.scenario.datasets import load_gsm8k_solutions
from flywheel.scenario.gsm8k import solutions_as_traffic
from flywheel.scenario.product import simulate_day
from flywheel.scenario.traffic import DayOfTraffic, Reply
from flywheel.scenario.users import Habits

DAY = date(2026, 3, 2)  # invented for all: what counts is that a set is one day
_NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
Row = dict[str, Any]


@dataclass(slots=True)
class Labelled:
    """One set: its calls, what was said about them, and which of them failed, by trace_id."""

    name: str
    truth_is: str
    traces: list[Row] = field(default_factory=list)
    feedback: list[Row] = field(default_factory=list)
    failed: dict[str, bool] = field(default_factory=dict)

    def add(self, trace_id: str, failed: bool, **columns: Any) -> None:
        """Add a call of a conversation of its own, unless columns say otherwise."""
        known = {"conversation_id": trace_id, "started_at": _NOON, "app": self.name, "task": self.name}
        self.traces.append(known | {"trace_id": trace_id, **columns})
        self.failed[trace_id] = failed

    def said(self, trace_id: str, kind: str, value: float | None, **columns: Any) -> None:
        """Add feedback on a call."""
        number = len(self.feedback)
        self.feedback.append(
            {"feedback_id": f"f{number}", "trace_id": trace_id, "kind": kind, "value": value, **columns}
        )


def gsm8k(data: Path) -> Labelled:
    """Return four models' solutions of 1,319 problems; a wrong final number is a failure."""
    traffic = solutions_as_traffic(load_gsm8k_solutions(data / "gsm8k"), DAY, 11)
    return _of_traffic(Labelled("gsm8k", "final number is wrong"), traffic)


def scenario(_: Path) -> Labelled:
    """Return a simulated day: a weak router of a bank's messages, its users and their feedback."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    seeds = generate_queries(11, 6)
    router = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=10, max_iter=500))
    router.fit([query.text for query in seeds], [query.intent for query in seeds])

    def answer(texts: list[str]) -> Sequence[Reply]:
        odds = router.predict_proba(texts)
        return [
            Reply(str(router.classes_[row.argmax()]), 200, 40, 3, "router", confidence=float(row.max()))
            for row in odds
        ]

    asked = generate_queries(12, 60)
    return _of_traffic(
        Labelled("scenario", "wrong intent or planted trouble"), simulate_day(asked, DAY, answer, Habits(), 11)
    )


def _of_traffic(into: Labelled, traffic: DayOfTraffic) -> Labelled:
    for record, truth in zip(traffic.records, traffic.truth, strict=True):
        request, response = _mapping(record["request"]), _mapping(record.get("response"))
        choice = (response.get("choices") or [{}])[0]
        schema = _mapping(_mapping(request.get("response_format")).get("json_schema")).get("schema")
        logprobs = _mapping(choice.get("logprobs")).get("content") or []
        into.add(
            truth.request_id,
            truth.is_failure,
            conversation_id=record["conversation_id"],
            started_at=datetime.fromisoformat(str(record["timestamp"])),
            model=request["model"],
            input=json.dumps(request["messages"]),
            output=_mapping(choice.get("message")).get("content"),
            requested_schema=json.dumps(schema) if schema else None,
            finish_reason=choice.get("finish_reason"),
            error=_mapping(record.get("error")).get("type"),
            confidence=exp(sum(token["logprob"] for token in logprobs)) if logprobs else None,
            actor_hash=record.get("user"),
        )
        said: Any = record.get("feedback") or []
        for item in said:
            into.said(truth.request_id, item["kind"], item.get("value"), text=item.get("text"))
    return into


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def tau_bench(data: Path) -> Labelled:
    """Return 200 gpt-4o airline agent runs; a reward below 1 is a failure."""
    runs = _read(data / "tau_bench" / "gpt-4o-airline.json.gz")
    into = Labelled("tau_bench", "reward below 1")
    for run in runs:
        into.add(f"{run['task_id']}-{run['trial']}", run["reward"] < 1, **_run(run["traj"]))
    return into


def tau2(data: Path) -> Labelled:
    """Return 120 agent runs, airline and retail, base and fine-tuned; a reward below 1 is a failure."""
    into = Labelled("tau2", "reward below 1")
    for path in sorted((data / "tau2_flywheel").glob("*_gpt-4.1_*.json.gz")):
        for run in _read(path)["simulations"]:
            stopped = run["termination_reason"]
            error = None if stopped in ("user_stop", "agent_stop") else stopped
            reward = (run["reward_info"] or {}).get("reward", 0)
            into.add(f"{path.stem}-{run['id']}", reward < 1, error=error, **_run(run["messages"]))
    return into


def _run(messages: Sequence[Row]) -> Row:
    """Return the columns of a whole run: all but the last answer is input, tools' answers sit at their calls."""
    said = [message for message in messages if message["role"] in ("system", "user", "assistant", "tool")]
    last = max((at for at, m in enumerate(said) if m["role"] == "assistant" and m.get("content")), default=0)
    calls: dict[str, Row] = {}  # of an id that comes twice, what came last is what is answered
    done: list[Row] = []
    for message in said:
        if message["role"] == "tool":
            calls[message.get("tool_call_id") or message["id"]]["result"] = message.get("content")
        elif message["role"] == "assistant":
            calls |= {call["id"]: _call(call) for call in message.get("tool_calls") or []}
            done += [calls[call["id"]] for call in message.get("tool_calls") or []]
    asked = [{"role": m["role"], "content": m.get("content") or ""} for m in said[:last] + said[last + 1 :]]
    return {
        "input": json.dumps(asked),
        "output": said[last].get("content"),
        "tool_calls": json.dumps(done),
    }


def _call(call: Row) -> Row:
    told = call.get("function") or call
    return {"id": call["id"], "name": told["name"], "arguments": told["arguments"]}


def prime(data: Path) -> Labelled:
    """Return answers of four model versions to 'is N prime?'; a wrong yes or no, or none, is a failure."""
    into = Labelled("llmdrift_prime", "final yes or no is wrong")
    with gzip.open(data / "llmdrift" / "PRIME_FULL_EVAL.csv.gz", "rt") as file:
        for number, row in enumerate(DictReader(file)):
            found = re.findall(r"\[(yes|no)\]", row["answer"].lower())
            failed = not found or found[-1] != row["ref_answer"].lower()
            asked = json.dumps([{"role": "user", "content": row["query"]}])
            into.add(f"p{number}", failed, model=row["model"], input=asked, output=row["answer"])
    return into


# of each function, the metric that is taken for the truth
_TRUTHS = {"write_haiku": "haiku_score", "extract_entities": "exact_match"}


def tensorzero(data: Path) -> Labelled:
    """Return the gateway's haikus and entities; the score of each function is the truth, so no score is in the rows.

    A demonstration is given for good and bad haikus alike: what is left to see is very little.
    """
    folder = data / "tensorzero_fixtures"
    into = Labelled("tensorzero", "haiku_score, exact_match")
    scores = {
        (row["target_id"], row["metric_name"]): row["value"] for row in _lines(folder, "boolean_metric_feedback")
    }
    for kind in ("chat", "json"):
        for row in _lines(folder, f"{kind}_inference"):
            truth = _TRUTHS.get(row["function_name"])
            if (row["id"], truth) in scores:
                output = json.loads(row["output"])
                text = output.get("raw") if kind == "json" else "".join(part.get("text") or "" for part in output)
                into.add(
                    row["id"],
                    not scores[row["id"], truth],
                    task=row["function_name"],
                    model=row["variant_name"],
                    input=json.dumps([_message(said) for said in json.loads(row["input"])["messages"]]),
                    output=text,
                    requested_schema=row.get("output_schema") if kind == "json" else None,
                )
    for row in _lines(folder, "demonstration_feedback"):
        if row["inference_id"] in into.failed:
            into.said(row["inference_id"], "demonstration", None, text=_demonstrated(row["value"]))
    return into


def _message(said: Row) -> Row:
    parts = said["content"] if isinstance(said["content"], list) else [{"value": said["content"]}]
    texts = [part.get("value") or part.get("text") or part.get("arguments") for part in parts]
    return {"role": said["role"], "content": "\n".join(t if isinstance(t, str) else json.dumps(t) for t in texts)}


def _demonstrated(value: str) -> str:
    told = json.loads(value)
    if isinstance(told, list):
        return "".join(part.get("text") or "" for part in told)
    return str(told.get("raw") or json.dumps(told.get("parsed", told)))


def _lines(folder: Path, name: str) -> Iterator[Row]:
    with gzip.open(folder / f"{name}_examples.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _read(path: Path) -> Any:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)


SETS = (gsm8k, tau_bench, tau2, prime, tensorzero, scenario)
