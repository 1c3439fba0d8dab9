"""The command that looks for benchmarks in what is to be trained on."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flows.cli import show
from flows.cli.commands import Command
from flows.cli.opened import at_option, json_option, open_lake, open_store, read_settings

if TYPE_CHECKING:  # heavy, and only named here
    import polars as pl

    from flywheel.core.moments import Moment

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_EXIT_FOUND = 1
_COLUMNS = ("source", "id", "benchmark", "instance_id", "reason", "share", "span")


@click.command(cls=Command)
@click.option("--against", multiple=True, type=_FILE, help="A benchmark: JSON lines or Parquet; more may follow it.")
@click.argument("more", nargs=-1, type=_FILE, metavar="[FILE]...")
@click.option("--heldout", is_flag=True, help="Also against what the newest release holds out.")
@click.option("--file", "files", multiple=True, type=_FILE, help="Check this file instead of the lake.")
@click.option(
    "--column", "columns", multiple=True, help="The column with the text, in all files; several are joined."
)
@json_option
@at_option
def decontaminate(is_json: bool, heldout: bool, at: "Moment | None", **given: Any) -> int:
    """Find benchmark questions in the lake's hard examples and corrections, and show the words they share.

    An instance is copied when more than half of its words lie in 8-word runs that one text shares with it, edited
    when 70 % of its words are there in their places. With any found the exit code is 1.

    Example:
      flywheel decontaminate --against humaneval.jsonl.gz gsm8k-test.jsonl
      flywheel decontaminate --against gsm8k-test.jsonl --file train.jsonl --json
    """
    against = [*given["against"], *given["more"]]
    if not against and not heldout:
        raise click.UsageError("Say what must not be in there: --against FILE, or --heldout.")
    if at is not None and given["files"]:
        raise click.UsageError("--at and --file exclude each other: files are not of the lake. Drop one of them.")
    checked = _checked(given["files"], given["columns"], at)
    benchmarks = _benchmarks(against, given["columns"], is_heldout_meant=heldout)
    found = list(_found(checked, benchmarks))
    if is_json:
        show.print_json(_report(checked, benchmarks, found))
    else:
        _print(checked, benchmarks, found)
    return _EXIT_FOUND if found else 0


def _checked(files: tuple[Path, ...], columns: tuple[str, ...], at: "Moment | None") -> "dict[str, pl.DataFrame]":
    """Return what is to be checked, by where it is from."""
    from flywheel.mine.texts_to_check import lake_texts, read_texts

    if files:
        return {str(path): read_texts(path, columns) for path in files}
    with open_lake(at) as lake:
        texts = lake_texts(lake)
    return {name: texts.filter(source=name) for name in ("hard_examples", "corrections")}


def _benchmarks(
    against: list[Path], columns: tuple[str, ...], *, is_heldout_meant: bool
) -> "dict[str, pl.DataFrame]":
    from flywheel.mine.texts_to_check import heldout_texts, read_texts

    benchmarks = {str(path): read_texts(path, columns) for path in against}
    if is_heldout_meant:
        benchmarks["heldout"] = heldout_texts(open_store(), read_settings().dataset)
    return benchmarks


def _found(
    checked: "Mapping[str, pl.DataFrame]", benchmarks: "Mapping[str, pl.DataFrame]"
) -> Iterator[dict[str, Any]]:
    """Yield what was found; what is itself held out is no leak of what is held out."""
    from flywheel.text.contamination import find_contamination

    for source, rows in checked.items():
        for benchmark, instances in benchmarks.items():
            is_ours = "trace_id" in instances.columns and "trace_id" in rows.columns
            others = rows.join(instances, on="trace_id", how="anti") if is_ours else rows
            for one in find_contamination(others, instances).iter_rows(named=True):
                yield {"source": source, "benchmark": benchmark} | one


def _report(
    checked: "Mapping[str, pl.DataFrame]", benchmarks: "Mapping[str, pl.DataFrame]", found: list[dict[str, Any]]
) -> dict[str, Any]:
    from flywheel.text.contamination import too_short

    return {
        "checked": {name: rows.height for name, rows in checked.items()},
        "benchmarks": {
            name: {
                "instances": instances.height,
                "too_short": too_short(instances),
                "contaminated": len({one["instance_id"] for one in found if one["benchmark"] == name}),
            }
            for name, instances in benchmarks.items()
        },
        "found": found,
    }


def _print(
    checked: "Mapping[str, pl.DataFrame]", benchmarks: "Mapping[str, pl.DataFrame]", found: list[dict[str, Any]]
) -> None:
    report = _report(checked, benchmarks, found)
    is_any = any(report["checked"].values())
    show.print_table(found, _COLUMNS, empty="Nothing is contaminated." if is_any else "There was nothing to check.")
    click.echo(f"Checked: {', '.join(f'{count} of {name}' for name, count in report['checked'].items())}.")
    for name, counts in report["benchmarks"].items():
        click.echo(
            f"{name}: {counts['contaminated']} of {counts['instances']} instances found, "
            f"{counts['too_short']} too short to look for."
        )
