"""The Hugging Face layout: Parquet by config and split, and a dataset card whose front matter describes them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from flywheel.publish.exports.conversation import for_openai, said
from flywheel.publish.exports.example import Example
from flywheel.publish.exports.yaml_text import as_yaml

SPLIT_NAMES = {"train": "train", "heldout": "test"}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_TEXT = pa.string()
_CALL = pa.struct([("id", _TEXT), ("type", _TEXT), ("function", pa.struct([("name", _TEXT), ("arguments", _TEXT)]))])
_PLAIN = pa.list_(pa.struct([("role", _TEXT), ("content", _TEXT)]))
_CALLING = pa.list_(
    pa.struct([("role", _TEXT), ("content", _TEXT), ("tool_calls", pa.list_(_CALL)), ("tool_call_id", _TEXT)])
)
_BESIDE = [
    ("correction_id", _TEXT), ("mode_name", _TEXT), ("route", _TEXT), ("author_kind", _TEXT), ("depth", pa.int64()),
    ("weight", pa.float64()),
]  # fmt: skip


def sft(example: Example) -> Iterator[dict[str, Any]]:
    """Yield {prompt, completion} with where it comes from; arguments of calls are JSON text."""
    yield {"prompt": for_openai(example.prompt), "completion": said(example.chosen), **_beside(example)}


def preference(example: Example) -> Iterator[dict[str, Any]]:
    """Yield {prompt, chosen, rejected}, for rows that have a rejected answer."""
    if example.rejected:
        answers = {"chosen": said(example.chosen), "rejected": said(example.rejected)}
        yield {"prompt": for_openai(example.prompt), **answers, **_beside(example)}


def _beside(example: Example) -> dict[str, Any]:
    known = {**example.row, "correction_id": example.correction_id, "weight": example.weight}
    return {name: known.get(name) for name, _ in _BESIDE}


def schema_of(answers: Sequence[str], *, has_calls: bool) -> pa.Schema:
    """Return the Arrow schema of a config; messages have columns for tool calls only where there are some.

    Arrow fills what a message lacks with null, and some chat templates take `tool_calls: null` for a call.
    """
    prompt = _CALLING if has_calls else _PLAIN
    return pa.schema([("prompt", prompt), *((name, _PLAIN) for name in answers), *_BESIDE])


def features_of(schema: pa.Schema) -> list[dict[str, Any]]:
    """Return a schema in the words of `dataset_info.features`."""
    return [{"name": field.name, **_feature(field.type)} for field in schema]


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(kind):
        inner = _feature(kind.value_type)
        return {"list": inner["struct"] if "struct" in inner else inner["dtype"]}
    if pa.types.is_struct(kind):
        return {"struct": [{"name": field.name, **_feature(field.type)} for field in kind]}
    return {"dtype": {"double": "float64"}.get(str(kind), str(kind))}


def card(
    facts: Mapping[str, Any], configs: Mapping[str, pa.Schema], counts: Mapping[str, Mapping[str, int]]
) -> bytes:
    """Return README.md.

    Args:
        facts: `dataset`, `version`, `content_hash`, `licence` and `consent` of the release.
        configs: the schema of each config.
        counts: by config, how many records each split has; splits in the words of a release.

    """
    total = sum(counts["sft"].values())
    front = {
        "pretty_name": f"{facts['dataset']} v{facts['version']}",
        "license": "other",
        **({"license_name": facts["licence"]} if facts.get("licence") else {}),
        "task_categories": ["text-generation"],
        "tags": ["flywheel", "corrections", "preference"],
        "size_categories": [next((name for most, name in _SIZES if total < most), "n>1M")],
        "configs": [_config(name, counts[name], is_default=name == "sft") for name in configs],
        "dataset_info": [_info(name, schema, counts[name]) for name, schema in configs.items()],
    }
    return f"---\n{as_yaml(front)}---\n{_TEXT_OF_CARD.format(**facts, total=total)}".encode()


def file_of(config: str, split: str) -> str:
    """Return where a split of a config is."""
    return f"data/{config}/{SPLIT_NAMES[split]}.parquet"


def _config(name: str, counts: Mapping[str, int], *, is_default: bool) -> dict[str, Any]:
    files = [{"split": SPLIT_NAMES[split], "path": file_of(name, split)} for split in counts]
    return {"config_name": name, "data_files": files, **({"default": True} if is_default else {})}


def _info(name: str, schema: pa.Schema, counts: Mapping[str, int]) -> dict[str, Any]:
    splits = [{"name": SPLIT_NAMES[split], "num_examples": count} for split, count in counts.items()]
    return {"config_name": name, "features": features_of(schema), "splits": splits}


_TEXT_OF_CARD = """
# {dataset}, version {version}

{total} corrections of a language model's failures in production: what was asked, what it answered (`rejected`) and
what is right (`chosen`, or `completion`). Written from release {version}, content hash `{content_hash}`.

```python
from datasets import load_dataset
sft = load_dataset("path/to/this/folder", "sft", split="train")
pairs = load_dataset("path/to/this/folder", "preference", split="train")
```

`test` is held out: failures to measure with, no near-duplicate of them is in `train`. Never train on it.

| column | what |
|---|---|
| `correction_id` | the row of the release |
| `mode_name` | the failure mode, null where it has none |
| `route`, `author_kind` | who corrected it |
| `depth` | generations of models between the row and a person |
| `weight` | people's agreement with who corrected it, 0 to 1; 1 for a person |

Licence: {licence}. Consent: {consent}.

Known limits: corrections come from failing traffic, so their mix is not the traffic's; people err too.
"""
