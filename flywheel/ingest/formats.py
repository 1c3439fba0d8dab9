"""Tell log formats apart by the keys of records; each is a file under sql/ingest/, or a mapping of columns."""

import tomllib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path

import orjson

from flywheel.core.duck import quoted
from flywheel.core.errors import UnknownFormat, UnknownQuery
from flywheel.core.mappings import Mapping as LogMapping
from flywheel.core.queries import find_query, load_folder
from flywheel.core.settings import Settings, load_settings

_MAPPED = "mapped"  # the file that all mappings share
# Keys that records of a format have, the more special ones first: a recorded exchange has a `request` as well.
_MARKS: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (name, frozenset(keys.split()))
    for name, keys in (
        # requests for spans and for log records; a span as the SDK prints it or Phoenix exports it
        ("otlp", "resourceSpans"),
        ("otlp", "resourceLogs"),
        ("otlp", "context attributes"),
        ("otlp", "context.span_id"),
        ("vendor_http", "uri request response"),
        ("vendor_http", "url request response status"),
        ("tensorzero", "function_name variant_name input output"),
        ("tensorzero", "target_id metric_name value"),
        ("tensorzero", "target_id target_type value"),
        ("tensorzero", "inference_id value"),
        ("tensorzero", "dataset_name function_name input"),
        ("tensorzero", "short_cache_key long_cache_key output"),
        ("langfuse", "trace observations"),
        ("langfuse", "id observations scores"),
        ("langfuse", "id traceId type startTime"),
        ("langfuse", "id trace_id type start_time project_id"),
        ("langfuse", "id traceId name dataType"),
        ("langfuse", "id trace_id name data_type"),
        ("langfuse", "id timestamp sessionId userId"),
        ("langfuse", "id timestamp session_id user_id project_id"),
        ("langfuse", "id datasetId expectedOutput"),
        ("inspect", "eval sample"),
        ("inspect", "eval samples"),
        ("tau2", "simulations info"),
        ("tau_bench", "traj reward"),
        ("openai", "request"),
        ("feedback", "target kind"),
        ("messages", "messages_display"),
        ("messages", "messages"),
    )
)


def detect_format(source: str, records: Iterable[str], settings: Settings | None = None) -> str:
    """Return the format of the first record whose keys are known: one alien line does not refuse the others.

    A mapping of our own settings goes before what is recognised by its keys, that before mappings of public sets.

    Raises:
        UnknownFormat: none fits.

    """
    own = (settings or load_settings()).mappings
    for record in records:
        keys = orjson.loads(record).keys()
        found = _mapping_for(source, keys, own) or _marked(keys) or _mapping_for(source, keys, known_mappings())
        if found:
            return found
    raise UnknownFormat(source, format_names(settings))


def format_query(name: str, settings: Settings | None = None) -> str:
    """Return the query from `log_lines` to the columns of raw_traces.

    Raises:
        UnknownQuery: no file and no mapping has that name.

    """
    settings = settings or load_settings()
    mapping = settings.mappings.get(name) or known_mappings().get(name)
    if mapping is not None:
        compiled = orjson.dumps(mapping.compiled(name)).decode()
        return find_query("ingest", _MAPPED).replace("$mapping", quoted(compiled))
    if name == _MAPPED:
        raise UnknownQuery(name, "sql/ingest", format_names(settings))
    return find_query("ingest", name).replace("$undated_at", quoted(settings.undated_at))


def format_names(settings: Settings | None = None) -> list[str]:
    """Return what --format takes: files under sql/ingest/, mappings of settings and of public sets."""
    files = set(load_folder("ingest")) - {_MAPPED}
    return sorted(files | set((settings or load_settings()).mappings) | set(known_mappings()))


@lru_cache(maxsize=1)
def known_mappings() -> Mapping[str, LogMapping]:
    """Return the mappings of public data sets by name."""
    text = Path(__file__).with_name("known_mappings.toml").read_text(encoding="utf-8")
    return {name: LogMapping.model_validate(mapping) for name, mapping in tomllib.loads(text).items()}


def _marked(keys: Iterable[str]) -> str | None:
    found = set(keys)
    return next((name for name, marks in _MARKS if marks <= found), None)


def _mapping_for(source: str, keys: Iterable[str], mappings: Mapping[str, LogMapping]) -> str | None:
    found = set(keys)
    fitting = (name for name, one in mappings.items() if fnmatch(source, _anywhere(one.files)))
    return next((name for name in fitting if set(mappings[name].columns) <= found), None)


def _anywhere(pattern: str) -> str:
    """Let a pattern mean files in any folder, unless it says which."""
    return pattern if pattern.startswith(("/", "*", "s3://")) else f"*/{pattern}"
