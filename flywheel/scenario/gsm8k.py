"""Four models' published solutions of GSM8K problems as log records, with a truth that can be computed.

The questions and solutions are real (Cobbe et al. 2021, arXiv 2110.14168, MIT). **Times, latencies, token
counts and ids are invented**: the publication has none. Each record says so in its request's metadata.
"""

import random
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import cast

from flywheel.scenario.traffic import Call, DayOfTraffic, FailureMode, Json, Reply, Truth, record_of

WORKLOAD_ID = "gsm8k"
MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
SYSTEM_PROMPT = "Solve the problem step by step. End with a line 'A: <number>'."
_INVENTED: Json = {"source": "gsm8k", "invented": "timestamps, latencies, token counts, ids"}
_ANSWER = re.compile(r"^A:\s*(.*)$", re.MULTILINE)
_CHARACTERS_PER_TOKEN = 4  # a common rule of thumb for English; the counts are invented anyway


def final_number(solution: str) -> Decimal | None:
    """Return the number on the solution's last `A:` line, or None if there is no such line or number.

    Digit separators, currency and percent signs and spaces do not count.
    """
    lines = _ANSWER.findall(solution)
    if not lines:
        return None
    try:
        return Decimal(re.sub(r"[,$%\s]", "", lines[-1]))
    except InvalidOperation:
        return None


def is_right(solution: str, ground_truth: str) -> bool:
    """Return whether a solution ends in the ground truth's number; one without a number is wrong."""
    answer = final_number(solution)
    return answer is not None and answer == final_number(ground_truth)


def solutions_as_traffic(solutions: Iterable[Mapping[str, object]], day: date, seed: int) -> DayOfTraffic:
    """Return one day of traffic: each problem asked once of each of the four models.

    `solutions` are rows of `datasets.load_gsm8k_solutions`. Nothing of the ground truth is in the records.
    """
    rng = random.Random(f"gsm8k:{seed}:{day}")
    started_at = datetime.combine(day, time(6), UTC)
    traffic = DayOfTraffic([], [])
    for number, row in enumerate(solutions):
        for model in MODELS:
            call = _call(row, model, (number, started_at), rng)
            traffic.records.append(record_of(call))
            traffic.truth.append(_truth(call, str(row["ground_truth"])))
            started_at += timedelta(milliseconds=call.reply.latency_ms + rng.randrange(1000))
    return traffic


def _call(row: Mapping[str, object], model: str, at: tuple[int, datetime], rng: random.Random) -> Call:
    number, started_at = at
    question = str(row["question"])
    solution = str(cast("Mapping[str, object]", row[model])["solution"])
    reply = Reply(
        content=solution,
        latency_ms=rng.randrange(200, 4000),
        input_tokens=len(SYSTEM_PROMPT + question) // _CHARACTERS_PER_TOKEN,
        output_tokens=len(solution) // _CHARACTERS_PER_TOKEN,
        model=model,
    )
    return Call(
        key=f"gsm8k:{started_at:%Y%m%d}:{number}:{model}",
        workload_id=WORKLOAD_ID,
        client_id="benchmark",
        conversation_id=f"c-gsm8k-{started_at:%Y%m%d}-{number:05d}-{model}",
        user="u-gsm8k",
        started_at=started_at,
        system_prompt=SYSTEM_PROMPT,
        text=question,
        reply=reply,
        metadata=_INVENTED,
    )


def _truth(call: Call, ground_truth: str) -> Truth:
    solution = call.reply.content
    is_failure = not is_right(solution, ground_truth)
    answered = final_number(solution)
    return Truth(
        call.request_id,
        call.response_id,
        call.text,
        str(final_number(ground_truth)),
        None if answered is None else str(answered),
        is_failure,
        FailureMode.WRONG_NUMBER if is_failure else None,
    )
