"""The card of a release: what is in it, where it came from, how to load it, in Markdown."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, StrictUndefined

from flywheel.core.promises import PromiseResult
from flywheel.publish.candidate import Candidate

_CARD = """# {{ dataset }}

{{ train }} corrections to train on, {{ heldout }} held-out failures to measure with,
{{ preferences }} preference pairs.

| where from | training rows |
|---|---|
{% for origin, count in origins %}| {{ origin | cell }} | {{ count }} |
{% endfor %}
| failure mode | training rows |
|---|---|
{% for mode, count in modes %}| {{ mode | cell }} | {{ count }} |
{% endfor %}
## Gate

{{ passed }} of {{ checked }} promises kept{% if warnings %}; warnings:
{% for warning in warnings %}
- {{ warning.suite }}: {{ warning.expectation }} on {{ warning.subject }}:
  observed {{ warning.observed | cell }}, promised {{ warning.bound | cell }}
{%- endfor %}{% else %}.{% endif %}

Written by people: {{ "%.0f" | format(100 * profile.human_share) }} % of training rows.
Deepest generation: {{ profile.max_depth }}.

## Load it

```python
import polars as pl
train = pl.read_parquet("train.parquet")  # input, rejected, chosen, author_kind, mode_id, trace_id ...

from datasets import load_dataset
sft = load_dataset("json", data_files="exports/trl-sft.jsonl")
```

Known limits: corrections come from failing traffic, so their mix is not the traffic's; people err too.
"""


def write_card(candidate: Candidate, profile: Mapping[str, Any], results: Sequence[PromiseResult]) -> str:
    """Return the card of a candidate that passed its gate."""
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - Markdown; cells are escaped below
    environment.filters["cell"] = _cell
    train = candidate.train
    return environment.from_string(_CARD).render(
        dataset=candidate.dataset,
        train=train.height,
        heldout=candidate.heldout.height,
        preferences=candidate.preferences.height,
        origins=train.group_by("author_kind", "author_id")
        .len()
        .sort("len", "author_id", descending=[True, False])
        .select("author_id", "len")
        .rows(),
        modes=_mode_counts(candidate),
        passed=sum(result.is_success for result in results),
        checked=len(results),
        warnings=[result for result in results if not result.is_success],
        profile=profile,
    )


def _mode_counts(candidate: Candidate) -> list[tuple[str, int]]:
    counted = candidate.train.group_by("mode_name").len().sort("len", "mode_name", descending=[True, False])
    return [(mode or "none", count) for mode, count in counted.rows()]


def _cell(text: str) -> str:
    """Return text that stays text and in its place: names and observed values come from people and logs."""
    plain = re.sub(r"\s+", " ", text).strip().replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\|`*\[\]])", r"\\\1", plain)
