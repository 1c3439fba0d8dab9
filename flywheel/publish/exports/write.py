"""Write a release in a format, from its rows alone: each record keeps the rules, a report lies beside it."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from flywheel.core.errors import DataError
from flywheel.core.records import Split
from flywheel.core.releases import Release
from flywheel.core.storage import Store
from flywheel.publish.exports import for_hf, report
from flywheel.publish.exports.example import Example, Reads, bad_record, read_example
from flywheel.publish.exports.filters import Filters, filtered, weighed
from flywheel.publish.exports.folder import whole_folder
from flywheel.publish.exports.formats import Format
from flywheel.publish.exports.sinks import JsonLines, ParquetRows, Sink
from flywheel.publish.exports.template_check import RENDERS, template_problems
from flywheel.publish.exports.tokens import Counter, TemplateCounter
from flywheel.publish.release_rows import read_side

REPORT = "report.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written, and what is to be said about it."""

    form: Format
    splits: Sequence[Split]
    filters: Filters
    counter: Counter
    tools: Sequence[Mapping[str, Any]] = ()
    max_tokens: int | None = None
    price_per_million: float | None = None
    epochs: int = 1
    base_model: str = ""
    skips_broken: bool = False
    skips_file_rules: bool = False


@dataclass(slots=True)
class _Told:
    """What was met while a split was written."""

    lengths: report.Lengths
    left_out: dict[str, int]
    rows: int = 0
    records: dict[str, int] = field(default_factory=dict)  # by file
    desirable: int = 0
    weights: list[float] = field(default_factory=list)
    broken: list[tuple[str, str, str]] = field(default_factory=list)
    template: list[tuple[str, str, str]] = field(default_factory=list)
    undefined_tools: int = 0


def write_export(store: Store, release: Release, plan: Plan, out: Path, *, is_forced: bool = False) -> dict[str, Any]:
    """Write the folder and return its report, which is also in it as report.json.

    Raises:
        DataError: a row, or a whole file, breaks a rule of the format.
        CorruptObject: the release is not what was published.
        UsageError: the folder is there and holds something else.

    """
    with whole_folder(out, is_forced=is_forced) as folder:
        rows = {split: weighed(read_side(store, release, split)) for split in plan.splits}
        # all splits of a Hugging Face config have one schema
        has_calls = plan.form.is_hf and any(_has_calls(side) for side in rows.values())
        told = {split: _write_split(side, plan, split, folder, has_calls=has_calls) for split, side in rows.items()}
        if plan.form.is_hf:
            _write_card(release, told, folder, has_calls=has_calls)
        files = {split.value: f"{split}.jsonl" for split in plan.splits}
        for name, content in plan.form.beside(files, plan.base_model).items():
            (folder / name).write_bytes(content)
        facts = _report(release, plan, told)
        (folder / REPORT).write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return facts


def _write_split(side: pl.DataFrame, plan: Plan, split: Split, folder: Path, *, has_calls: bool) -> _Told:
    rows, left_out = filtered(side, plan.filters)
    told = _Told(report.Lengths(plan.counter, plan.max_tokens), left_out)
    if not plan.form.parts:
        rows.write_parquet(folder / f"{split}.parquet", compression="zstd")
        told.records[f"{split}.parquet"] = rows.height
    names = {part: _file_of(part, split) for part in plan.form.parts}
    with ExitStack() as stack:
        sinks = {part: stack.enter_context(_sink(folder / name, has_calls=has_calls)) for part, name in names.items()}
        for row in rows.iter_rows(named=True):
            _write_row(row, plan, told, sinks, names)
    for name in names.values():
        _check_file(plan, folder, name, told)
    return told


def _has_calls(rows: pl.DataFrame) -> bool:
    return bool(rows["input"].cast(pl.String).str.contains('"(tool_calls|function_call)"').any())


def _file_of(part: str, split: Split) -> str:
    named = for_hf.SPLIT_NAMES[split] if part.startswith("data/") else split.value
    return part.format(split=named)


def _sink(path: Path, *, has_calls: bool) -> Sink:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        return JsonLines(path)
    return ParquetRows(path, for_hf.schema_of(_answers(path.parent.name), has_calls=has_calls))


def _answers(config: str) -> tuple[str, ...]:
    return ("completion",) if config == "sft" else ("chosen", "rejected")


def _write_row(
    row: Mapping[str, Any], plan: Plan, told: _Told, sinks: Mapping[str, Sink], names: Mapping[str, str]
) -> None:
    example = read_example(row, plan.tools)
    if plan.form.reads is Reads.PAIR and not example.rejected:
        told.left_out["no_rejected_answer"] = told.left_out.get("no_rejected_answer", 0) + 1
        return
    try:
        if plan.form.parts:  # rows as they are have no trainer's rules to keep
            plan.form.check(example, plan.form.name)
        _check_template(plan, example, told)
    except DataError as broken:
        if not plan.skips_broken:
            raise
        told.broken.append((example.correction_id, "breaks_a_rule", str(broken)))
        told.left_out["breaks_a_rule"] = told.left_out.get("breaks_a_rule", 0) + 1
        return
    told.rows += 1
    told.weights.append(example.weight)
    told.lengths.add(example, plan.form.reads)
    told.undefined_tools += bool(set(example.calls) - {tool["function"]["name"] for tool in plan.tools})
    for part, write in plan.form.parts.items():
        for record in write(example):
            sinks[part].add(record)
            told.records[names[part]] = told.records.get(names[part], 0) + 1
            told.desirable += record.get("label") is True


def _check_template(plan: Plan, example: Example, told: _Told) -> None:
    if not (isinstance(plan.counter, TemplateCounter) and plan.counter.has_template):
        return
    for reason, detail in template_problems(plan.counter.tokenizer, example, plan.form.reads):
        if reason == RENDERS:
            remedy = "Pass a tokenizer whose template knows these roles, or --skip-broken to leave such rows out."
            what = f"Correction {example.correction_id!r}"
            raise bad_record(plan.form.name, what, f"the chat template does not render it: {detail}", remedy)
        told.template.append((example.correction_id, reason, detail))


def _check_file(plan: Plan, folder: Path, name: str, told: _Told) -> None:
    """Hold the file to its rules; a part of a Hugging Face dataset and what is only measured with may be small."""
    if plan.skips_file_rules or plan.form.is_hf or not name.startswith(Split.TRAIN):
        return
    size = (folder / name).stat().st_size
    facts = {"records": told.records.get(name, 0), "bytes": size, "desirable": told.desirable}
    plan.form.check_file(plan.form.name, name, facts)


def _write_card(release: Release, told: Mapping[Split, _Told], folder: Path, *, has_calls: bool) -> None:
    parts = ("sft", "preference")
    counts = {
        config: {split.value: one.records.get(for_hf.file_of(config, split), 0) for split, one in told.items()}
        for config in parts
    }
    schemas = {config: for_hf.schema_of(_answers(config), has_calls=has_calls) for config in parts}
    facts = {name: release.manifest.get(name, "not said") for name in ("licence", "consent")}
    named = {"dataset": release.dataset, "version": release.version, "content_hash": release.content_hash}
    (folder / "README.md").write_bytes(for_hf.card({**facts, **named}, schemas, counts))


def _report(release: Release, plan: Plan, told: Mapping[Split, _Told]) -> dict[str, Any]:
    train = told.get(Split.TRAIN)
    trained = sum(train.lengths.totals) if train else 0
    is_checked = isinstance(plan.counter, TemplateCounter) and plan.counter.has_template
    return {
        "dataset": release.dataset,
        "version": release.version,
        "content_hash": release.content_hash,
        "format": plan.form.name,
        "filters": asdict(plan.filters),
        "splits": {split.value: _split_report(one, is_checked) for split, one in told.items()},
        "cost": report.cost_of(trained, plan.price_per_million, plan.epochs),
    }


def _split_report(told: _Told, is_checked: bool) -> dict[str, Any]:
    return {
        "rows": told.rows if told.lengths.totals else sum(told.records.values()),
        "records": told.records,
        "left_out": told.left_out,
        "broken": report.problems_of(told.broken),
        "tokens": report.tokens_of(told.lengths),
        "truncation": report.truncation_of(told.lengths),
        "weights": report.weights_of(told.weights),
        "calls_undefined_tools": told.undefined_tools,
        "chat_template": {"checked": told.rows, **report.problems_of(told.template)} if is_checked else None,
    }
