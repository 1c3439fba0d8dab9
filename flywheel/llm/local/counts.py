"""What was served, counted at the source, so that a ledger can be compared with its provider."""

from collections import Counter
from typing import Any


class Served:
    """Count answered requests and tokens by model, and what the fault switches did.

    A reply whose body was cut or garbled cost its tokens but could not be read: it is counted apart.
    """

    def __init__(self) -> None:
        self._readable: dict[str, Counter[str]] = {}
        self._unreadable: dict[str, Counter[str]] = {}
        self._faults: Counter[str] = Counter()

    def add_reply(self, body: dict[str, Any], *, readable: bool) -> None:
        """Count a reply that has a model and a usage; others cost nothing."""
        usage = body.get("usage")
        if usage is None:
            return
        table = self._readable if readable else self._unreadable
        row = table.setdefault(body["model"], Counter())
        row["requests"] += 1
        row["prompt_tokens"] += usage["prompt_tokens"]
        row["completion_tokens"] += usage.get("completion_tokens", 0)

    def add_fault(self, kind: str) -> None:
        """Count one fault that fired."""
        self._faults[kind] += 1

    def shown(self) -> dict[str, Any]:
        """Return the counts as plain data."""
        return {
            "models": {model: dict(row) for model, row in sorted(self._readable.items())},
            "unreadable": {model: dict(row) for model, row in sorted(self._unreadable.items())},
            "faults": dict(sorted(self._faults.items())),
        }
