"""Write plain values as YAML; YAML reads JSON's scalars, so only maps and lists need a layout of their own."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def as_yaml(value: Mapping[str, Any]) -> str:
    """Return a map of maps, lists and scalars as YAML, keys in their order."""
    return "".join(f"{line}\n" for line in _lines(value))


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _entry(f"{key}:", item)
    elif isinstance(value, list) and value:
        for item in value:
            first, *rest = _lines(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield json.dumps(value, ensure_ascii=False)


def _entry(key: str, item: Any) -> Iterator[str]:
    if isinstance(item, Mapping | list) and item:
        yield key
        yield from (f"  {line}" for line in _lines(item))
    else:
        yield f"{key} {json.dumps(item, ensure_ascii=False)}"
