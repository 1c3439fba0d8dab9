"""Do notes on failed multi-agent runs find the guilty agent that people named? On who_and_when, 126 runs."""

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sklearn.metrics import adjusted_mutual_info_score, v_measure_score

from flywheel.core.lake import Lake
from flywheel.mine.named import name_modes
from flywheel.mine.notes import aspects_of

DAY = date(2026, 3, 2)
# What people's reasons speak of, by their words: coarse, and only for comparing groupings.
_REASONS = {
    "code": ("code", "script", "python", "algorithm", "package", "pandas"),
    "made up": ("fabricat", "hallucinat", "assum", "placeholder", "simulat", "internal knowledge", "guess"),
    "plan": ("plan", "irrelevant", "not well aligned", "direction", "task description", "unrelated"),
    "tool": ("tool", "search", "api", "website", "access", "retriev"),
}


def guilty_table(data: Path) -> str:
    """Return the figures as Markdown; a line that says so where the data set is not at hand."""
    log = data / "who_and_when" / "algorithm-generated.jsonl.gz"
    if not log.is_file():
        return f"\nwho_and_when: not measured, {log} is not there\n"
    with gzip.open(log, "rt", encoding="utf-8") as lines:
        runs = [json.loads(line) for line in lines]
    notes, modes = _mined(runs)
    guilty = [run["mistake_agent"] for run in runs]
    spoke = [aspects_of(note).get("who", "").split() for note in notes]
    named = sum(agent in speakers for agent, speakers in zip(guilty, spoke, strict=True)) / len(runs)
    first = sum(speakers[:1] == [agent] for agent, speakers in zip(guilty, spoke, strict=True)) / len(runs)
    chance = sum((agent in who) / max(len(who), 1) for agent, who in zip(guilty, spoke, strict=True)) / len(runs)
    commonest = Counter(guilty).most_common(1)[0][1] / len(runs)
    rows = [
        ("the note names the guilty agent among those that spoke", named),
        ("an agent drawn from those is the guilty one", chance),
        ("the agent that spoke most is the guilty one", first),
        ("the commonest guilty agent, always", commonest),
        ("other", modes.count("other") / len(runs)),
        ("V-measure of modes and guilty agents", v_measure_score(guilty, modes)),
        ("the same, adjusted for chance (AMI)", adjusted_mutual_info_score(guilty, modes)),
        ("V-measure of modes and kinds of reasons", v_measure_score(_kinds(runs), modes)),
        ("the same, adjusted for chance (AMI)", adjusted_mutual_info_score(_kinds(runs), modes)),
    ]
    head = f"\nwho_and_when: {len(runs)} failed runs, {len(set(guilty))} guilty agents, {len(set(modes))} modes\n"
    return "\n".join([head, "| | |", "|---|---|", *(f"| {name} | {value:.2f} |" for name, value in rows)]) + "\n"


def _mined(runs: Sequence[dict[str, Any]]) -> tuple[list[str], list[str]]:
    with Lake.in_memory() as lake:
        keys = [{"day": DAY, "trace_id": f"{place:03}"} for place in range(len(runs))]
        traces = [
            {
                "input": json.dumps([_message(message) for message in run["history"][:-1]]),
                "output": str(run["history"][-1]["content"]),
                "query": run["question"],
                "task": "agents",
                "started_at": datetime(2026, 3, 2, tzinfo=UTC),
            }
            for run in runs
        ]
        fired = {"signal": "negative_outcome", "strength": 1.0, "evidence": "task failed"}
        failed = {"p_failure": 0.95, "signals": ["negative_outcome"]}
        for table, rows in (("traces", traces), ("signals", [fired] * len(runs)), ("failures", [failed] * len(runs))):
            lake.land(table, lake.typed(table, [key | row for key, row in zip(keys, rows, strict=True)]))
        name_modes(lake, DAY)
        found = lake.frame("select note, mode_id from mode_members order by trace_id")
        return found["note"].to_list(), found["mode_id"].to_list()


def _message(message: dict[str, Any]) -> dict[str, str]:
    return {
        "role": str(message.get("role")),
        "content": str(message.get("content")),
        "name": str(message.get("name") or message.get("role")),
    }


def _kinds(runs: Sequence[dict[str, Any]]) -> list[str]:
    return [
        next(
            (
                kind
                for kind, words in _REASONS.items()
                if any(word in run["mistake_reason"].lower() for word in words)
            ),
            "wrong result",
        )
        for run in runs
    ]
