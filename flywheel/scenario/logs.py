"""Log files: one JSON object per line, and the damage real log files carry."""

import json
import os
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path


def as_lines(records: Iterable[Mapping[str, object]]) -> list[bytes]:
    """Return each record as one line of UTF-8 JSON, without the line end."""
    return [json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() for record in records]


def write_log(path: Path, records: Iterable[Mapping[str, object] | bytes]) -> int:
    """Write records (or ready lines, as they are) to a log file and return how many lines it has.

    The file appears whole or not at all; the folder is made if it is not there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    count = 0
    with unfinished.open("wb") as file:
        for record in records:
            line = record if isinstance(record, bytes) else as_lines([record])[0]
            file.write(line + b"\n")
            count += 1
    unfinished.replace(path)
    return count


def sprinkle_malformed(lines: Sequence[bytes], seed: int, count: int) -> list[bytes]:
    """Return the lines with `count` broken ones put between them; no good line is lost.

    Broken are: JSON cut short, bytes that are not UTF-8, and JSON that is not an object.
    """
    rng = random.Random(f"malformed:{seed}")
    damaged = list(lines)
    for number in range(count):
        model = rng.choice(lines) if lines else b'{"timestamp": "2026-03-01T09:13:22.123456Z"}'
        broken = (model[: len(model) // 2], b'{"user": "\xff\xfe"}', rng.choice((b"[1, 2]", b'"up"', b"42")))
        damaged.insert(rng.randrange(len(damaged) + 1), broken[number % len(broken)])
    return damaged
