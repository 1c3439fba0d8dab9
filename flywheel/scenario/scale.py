"""A lot of log, quickly: up to millions of records in bounded memory, for measuring speed and memory.

The records have the same shape as the product's and the same kinds of feedback, but the answers are made up
here instead of asked of a model, and nobody rephrases with care: for quality use `product.simulate_day`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from flywheel.scenario.bank import SYSTEM_PROMPT, generate_queries, intents
from flywheel.scenario.product import WORKLOAD_ID

_FIRST_MOMENT = np.datetime64("2026-01-01T00:00:00", "us")
_DAY_MICROSECONDS = 86_400 * 1_000_000
_POOL_PER_INTENT = 40
_BLOCK_ROWS = 20_000  # rows held in memory at once: some 25 MB of text
_WRONG_RATE = 0.12
_THUMB_ON_WRONG = 0.25
_NEW_CONVERSATION_RATE = 0.85
_MODEL = "router-v1"

_SYSTEM = json.dumps({"role": "system", "content": SYSTEM_PROMPT})
_THUMB = '{{"kind":"thumb","value":{},"text":null,"user":"u-{}","occurred_at":"{}Z"}}'

_Numbers: TypeAlias = npt.NDArray[np.int64]
# row number, moment, epoch seconds, latency in ms, conversation, text, label, thumb
_Row: TypeAlias = tuple[int, str, int, int, int, str, str, int]


@dataclass(frozen=True, slots=True)
class _Pool:
    """Hold texts ready to be pasted into JSON strings, and the number of each one's intent."""

    texts: Sequence[str]
    intents: _Numbers


def write_traces(folder: Path, n: int, seed: int, rows_per_file: int, days: int = 30) -> list[Path]:
    """Write `n` log records as traces-00000.jsonl and so on, at most `rows_per_file` each; return the files.

    Times rise over `days` days from 2026-01-01, the first moment included. Same arguments, same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pool = _pool(seed)
    rng = np.random.default_rng(seed)
    paths = []
    for first in range(0, n, rows_per_file):
        path = folder / f"traces-{first // rows_per_file:05d}.jsonl"
        unfinished = path.with_name(f".{path.name}.part")
        with unfinished.open("w", encoding="utf-8") as file:
            for start in range(first, min(first + rows_per_file, n), _BLOCK_ROWS):
                stop = min(start + _BLOCK_ROWS, first + rows_per_file, n)
                rows = np.arange(start, stop, dtype=np.int64)
                file.writelines(_lines(rows, rows * (days * _DAY_MICROSECONDS // n), pool, rng))
        paths.append(unfinished.replace(path))
    return paths


def _pool(seed: int) -> _Pool:
    numbers = {intent: number for number, intent in enumerate(intents())}
    queries = generate_queries(seed, _POOL_PER_INTENT)
    return _Pool(
        [json.dumps(query.text, ensure_ascii=False)[1:-1] for query in queries],
        np.array([numbers[query.intent] for query in queries], dtype=np.int64),
    )


def _lines(rows: _Numbers, offsets: _Numbers, pool: _Pool, rng: np.random.Generator) -> list[str]:
    count = len(rows)
    names = intents()
    asked = rng.integers(len(pool.texts), size=count)
    is_wrong = rng.random(count) < _WRONG_RATE
    shift = np.where(is_wrong, rng.integers(1, len(names), size=count), 0)
    answered = (pool.intents[asked] + shift) % len(names)
    moments = _FIRST_MOMENT + offsets
    stamps = np.datetime_as_string(moments, unit="us").tolist()
    columns = zip(
        rows.tolist(),
        stamps,
        moments.astype("datetime64[s]").astype(np.int64).tolist(),
        rng.integers(80, 900, size=count).tolist(),
        _conversations(rows, rng),
        [pool.texts[at] for at in asked.tolist()],
        [names[at] for at in answered.tolist()],
        _thumbs(is_wrong, rng),
        strict=True,
    )
    return [_line(row) for row in columns]


def _conversations(rows: _Numbers, rng: np.random.Generator) -> list[int]:
    """Return conversations numbered by their first row; a row now and then goes on in the one before it."""
    opens = rng.random(len(rows)) < _NEW_CONVERSATION_RATE
    opens[:1] = True
    firsts: list[int] = np.maximum.accumulate(np.where(opens, rows, 0)).tolist()
    return firsts


def _thumbs(is_wrong: npt.NDArray[np.bool_], rng: np.random.Generator) -> list[int]:
    draw = rng.random(len(is_wrong))
    down = np.where(is_wrong, draw < _THUMB_ON_WRONG, draw < 0.02)
    thumbs: list[int] = np.where(down, -1, np.where(draw > 0.97, 1, 0)).tolist()
    return thumbs


def _line(row: _Row) -> str:
    at, moment, created, latency, conversation, text, label, thumb = row
    user = conversation * 2_654_435_761 % 5_003  # spreads conversations over users (Knuth's multiplier)
    said = _THUMB.format(thumb, user, moment) if thumb else ""
    asked = len(text) // 4
    return (
        f'{{"timestamp":"{moment}Z","workload_id":"{WORKLOAD_ID}","client_id":"app-web",'
        f'"request_id":"req-{at:012x}","conversation_id":"c-{conversation}","user":"u-{user}",'
        f'"latency_ms":{latency},"request":{{"model":"{_MODEL}","messages":[{_SYSTEM},'
        f'{{"role":"user","content":"{text} (ref {at * 2654435761 % 4294967296:08x})"}}],"temperature":0}},'
        f'"response":{{"id":"chatcmpl-{at:012x}","object":"chat.completion","created":{created},'
        f'"model":"{_MODEL}","choices":[{{"index":0,"message":{{"role":"assistant","content":"{label}"}},'
        f'"finish_reason":"stop","logprobs":null}}],"usage":{{"prompt_tokens":{asked},"completion_tokens":3,'
        f'"total_tokens":{asked + 3}}}}},"error":null,"feedback":[{said}]}}\n'
    )
