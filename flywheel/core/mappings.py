"""What a mapping in flywheel.toml may say: which files, and where in their records everything is.

A place is a column's name, a JSON path that begins with `$`, or a constant that begins with `=`.
"""

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flywheel.core.errors import BadSetting

# what DuckDB takes for a JSON path: keys, quoted or plain, and numbers of elements, from the end with #-1
_PATH = re.compile(r"\$(?:\.(?:[A-Za-z_][A-Za-z0-9_-]*|\"[^\"]+\")|\[(?:\d+|#-\d+)\])*")


class MappedFeedback(BaseModel):
    """One thing that records say about their call, or, with a target, about another one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    name: str = ""
    value: str = ""
    text: str = ""
    user: str = ""
    occurred_at: str = ""
    target: str = ""


class MappedCall(BaseModel):
    """Where in a record one call is; what it leaves out is as the mapping says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str = Field("", description="a whole conversation whose last answer is the output")
    input: str = Field("", description="a text of the user, or a list of messages")
    system: str = ""
    output: str = ""
    started_at: str = ""
    undated_at: str = Field("", description="the time of records that have none")
    app: str = ""
    task: str = ""
    model: str = ""
    id: str = ""
    conversation_id: str = ""
    user: str = ""
    error: str = ""
    finish_reason: str = ""
    latency_ms: str = ""
    input_tokens: str = ""
    output_tokens: str = ""
    cost_usd: str = ""
    tools: str = ""
    documents: str = ""
    requested_schema: str = ""
    feedback: tuple[MappedFeedback, ...] = ()


class Mapping(MappedCall):
    """One `[mappings.<name>]`: its files, where things are in them, and where a record holds several calls, which."""

    files: str = Field(description="the files it is for, as in a shell: *.csv, logs/answers-*.jsonl")
    time_format: str = Field("", description="of started_at, in strptime's letters, if neither ISO nor a number")
    columns: tuple[str, ...] = Field((), description="columns that records of these files have")
    calls: tuple[MappedCall, ...] = Field((), description="one for each call that a record is about")

    @model_validator(mode="after")
    def _has_something(self) -> "Mapping":
        for call in self.expanded():
            if not (call["input"] or call["run"] or call["feedback"]):
                raise ValueError("expected `input`, `run` or `feedback`: a mapping without them maps nothing")
            if (call["input"] or call["run"]) and not (call["started_at"] or call["undated_at"]):
                raise ValueError("expected `started_at`, or `undated_at` for records without a time")
        return self

    def expanded(self) -> list[dict[str, Any]]:
        """Return each call with what it leaves out filled in."""
        own = self.model_dump(exclude={"files", "columns", "calls", "time_format"})
        return [own | call.model_dump(exclude_unset=True) for call in self.calls] or [own]

    def compiled(self, name: str) -> dict[str, Any]:
        """Return what sql/ingest/mapped.sql takes, every place as a JSON path or a constant.

        Raises:
            BadSetting: a place is no column, path or constant.

        """
        calls = []
        for call in self.expanded():
            placed = {
                key: _place(f"mappings.{name}.{key}", place)
                for key, place in call.items()
                if key not in ("undated_at", "feedback")
            }
            said = [
                {key: _place(f"mappings.{name}.feedback.{key}", place) for key, place in dict(one).items()}
                | {"kind": f"={one['kind']}" if not one["kind"].startswith(("$", "=")) else one["kind"]}
                for one in call["feedback"]
            ]
            calls.append(placed | {"undated_at": call["undated_at"], "feedback": said})
        return {"time_format": self.time_format, "calls": calls}


def _place(setting: str, place: str) -> str:
    if not place or place.startswith("="):
        return place
    if place.startswith("$"):
        if not _PATH.fullmatch(place):
            raise BadSetting(setting, place, 'a JSON path such as $.answers[0]."the text", a column, or =constant')
        return place
    if '"' in place:
        raise BadSetting(setting, place, 'a column without quotes, or a JSON path such as $."a column"')
    return f'$."{place}"'
