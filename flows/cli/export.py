"""`flywheel releases export`: a release as files for a trainer, with a report of what is in them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flows.cli import show
from flows.cli.commands import Command
from flows.cli.opened import json_option, open_store, read_settings
from flows.cli.release_checks import dataset_option
from flywheel.core.errors import UsageError
from flywheel.core.records import Route, Split
from flywheel.core.releases import find_release
from flywheel.core.tags import LATEST

if TYPE_CHECKING:
    from flywheel.publish.exports.write import Plan

_BASE_MODEL = "Qwen/Qwen2.5-7B-Instruct"
_SPLITS = (Split.TRAIN.value, Split.HELDOUT.value)


_OPTIONS = (
    click.option("--format", "form", required=True, metavar="NAME", help="One of the formats of docs/exports.md."),
    click.option("--out", metavar="DIR", help="Folder to make; default: <dataset>-<version>-<format> here."),
    click.option("--force", is_flag=True, help="Replace a folder that holds something else."),
    click.option("--split", "splits", multiple=True, type=click.Choice(_SPLITS), help="Default: train; hf: both."),
    click.option("--mode", "modes", multiple=True, help="Only this failure mode, by name or id; none: without one."),
    click.option("--route", "routes", multiple=True, type=click.Choice([Route.HUMAN.value, Route.AI.value])),
    click.option("--min-trust", type=click.FloatRange(0, 1), help="Least agreement of people with the corrector."),
    click.option(
        "--max-depth", type=click.IntRange(0), help="Most generations of models between a row and a person."
    ),
    click.option("--tools", type=click.Path(exists=True, dir_okay=False), help="Tool definitions, a JSON list."),
    click.option(
        "--tokenizer", metavar="NAME", help="Count with it: a folder, org/model, or an encoding of tiktoken."
    ),
    click.option("--max-tokens", type=click.IntRange(1), help="Report what is longer, and what of it would be cut."),
    click.option("--price-per-million", type=click.FloatRange(0), help="Price of a million trained tokens."),
    click.option("--epochs", type=click.IntRange(1), default=1, show_default=True, help="For the estimated cost."),
    click.option(
        "--base-model", default=_BASE_MODEL, show_default=True, help="For Axolotl's and LLaMA-Factory's config."
    ),
    click.option("--skip-broken", is_flag=True, help="Leave out rows that break a rule, and list them."),
    click.option("--skip-file-rules", is_flag=True, help="Write a file even if a provider would find it too small."),
)


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of the command, in the order in which help shows them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(cls=Command)
@click.argument("version", default=LATEST)
@_options
@dataset_option
@json_option
def export(version: str, dataset: str | None, **given: Any) -> None:
    """Write a release for a trainer: OpenAI, TRL, Axolotl, LLaMA-Factory, RL, Hugging Face, Parquet.

    It reads the release's rows and nothing else, holds each record to the rules of the format, and writes a folder,
    whole or not at all, with a report.json of what is in it.

    Example:
      flywheel releases export latest --format trl-dpo
      flywheel releases export 3 --format openai-sft --route human --price-per-million 25 --epochs 3
      flywheel releases export --format hf --split train --split heldout --out my-dataset
    """
    from flywheel.publish.exports.write import write_export

    plan = _plan(given)
    store = open_store()
    release = find_release(store, dataset or read_settings().dataset, version)
    out = Path(given["out"] or f"{release.dataset}-{release.version}-{plan.form.name}")
    with show.working(f"writing version {release.version} as {plan.form.name}"):
        report = write_export(store, release, plan, out, is_forced=given["force"])
    if given["is_json"]:
        show.print_json({"folder": str(out), **report})
    else:
        _print(out, report)


def _plan(given: dict[str, Any]) -> "Plan":
    from flywheel.publish.exports.filters import Filters
    from flywheel.publish.exports.formats import find_format
    from flywheel.publish.exports.tokens import find_counter
    from flywheel.publish.exports.write import Plan

    form = find_format(given["form"])
    names = given["splits"] or (_SPLITS if form.is_hf else _SPLITS[:1])
    return Plan(
        form=form,
        splits=[Split(name) for name in dict.fromkeys(names)],
        filters=Filters(given["modes"], given["routes"], given["min_trust"], given["max_depth"]),
        counter=find_counter(given["tokenizer"]),
        tools=_read_tools(given["tools"]),
        max_tokens=given["max_tokens"],
        price_per_million=given["price_per_million"],
        epochs=given["epochs"],
        base_model=given["base_model"],
        skips_broken=given["skip_broken"],
        skips_file_rules=given["skip_file_rules"],
    )


def _read_tools(path: str | None) -> list[dict[str, Any]]:
    """Return tool definitions in OpenAI's shape, from that or from {name, description, parameters}."""
    if path is None:
        return []
    try:
        given = json.loads(Path(path).read_text(encoding="utf-8"))
        functions = [tool.get("function", tool) for tool in given]
        named = [{"name": str(function["name"]), **function} for function in functions]
    except (json.JSONDecodeError, AttributeError, KeyError, TypeError) as wrong:
        raise UsageError(
            f"--tools {path!r} is no list of tool definitions: {wrong!r}. Write a JSON list of "
            '{"name": ..., "description": ..., "parameters": {...}}, or of OpenAI\'s tools.'
        ) from wrong
    return [{"type": "function", "function": function} for function in named]


def _print(out: Path, report: dict[str, Any]) -> None:
    click.echo(f"Wrote {out}: {report['format']} of version {report['version']} of {report['dataset']}.\n")
    rows = []
    for split, told in report["splits"].items():
        facts = {
            "rows": told["rows"], "records": told["records"], "left out": told["left_out"], "tokens": told["tokens"],
            "too long": told["truncation"] and f"{told['truncation']['too_long']} (report.json names them)",
            "weights": told["weights"],
            "rows that call undefined tools": told["calls_undefined_tools"],
            "chat template": told["chat_template"] and told["chat_template"]["counts"],
        }  # fmt: skip
        rows += [{"split": split, "fact": name, "value": value} for name, value in facts.items() if value]
    if report["cost"]:
        rows.append({"split": "train", "fact": "estimated cost", "value": report["cost"]})
    show.print_table(rows, ("split", "fact", "value"), empty="")
