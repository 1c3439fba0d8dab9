"""Commands that turn the wheel: each starts one flow and prints what came of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from typing import Any

import click

from flows.cli import show
from flows.cli.commands import Command
from flows.cli.opened import Day, day_option, fetch, json_option, open_lake, open_store, prefect_log
from flows.cli.quiet import start_prefect
from flywheel.core.errors import DriftFound

_MINED = """
select
    (select count(*) from traces where day = $day) as traces,
    (select count(*) from failures where day = $day) as failures,
    (select count(*) from failure_modes where day = $day) as modes
"""
_DRIFT = "select * exclude (run_id) from drift where day = $day order by verdict = 'drift' desc, column_name"
_DRIFT_SHOWN = ("column_name", "verdict", "statistic", "value", "bound", "p_adjusted", "explanation")


@contextmanager
def running(what: str) -> Iterator[Any]:
    """Show progress while flows run, with Prefect ready for them; yields the function that tells the next step."""
    log = prefect_log()
    with show.working("starting Prefect") as tell:
        start_prefect(log)
        tell(what)
        yield tell


def chosen_day(day: date | None) -> date:
    """Return the day that was asked for, else the newest the lake knows; UsageError for an empty lake."""
    if day is not None:
        return day
    from flywheel.core.days import latest_day

    with open_lake() as lake:
        return latest_day(lake)


@click.command(cls=Command)
@click.option("--day", type=Day(), help="The day to mine; default: every day with traces that were not mined.")
@json_option
def mine(day: date | None, is_json: bool) -> None:
    """Find failures, name their modes, choose hard examples and route them; oldest day first.

    Example:
      flywheel mine
      flywheel mine --day 2026-03-01 --json
    """
    days = [day] if day else _unmined()
    mined = _mine_all(days) if days else []
    if is_json:
        show.print_json(mined)
        return
    columns = ("day", "traces", "failures", "modes", "hard_examples", "routes")
    show.print_table(
        mined, columns, empty="Nothing to mine: every day with traces was mined. Mine one again with --day."
    )
    if mined:
        click.echo("See them: flywheel modes, flywheel hard-examples, flywheel queue")


def _unmined() -> list[date]:
    from flywheel.core.days import latest_day, unmined_days

    with open_lake() as lake:
        latest_day(lake)
        return unmined_days(lake)


def _mine_all(days: Sequence[date]) -> list[dict[str, Any]]:
    from flywheel.core import connections

    mined = []
    with running("mining") as tell, connections.kept_open():
        from flows.mine import mine_failures
        from flows.route import route_examples

        for number, day in enumerate(days, start=1):
            tell(f"mining {day} ({number} of {len(days)})")
            chosen_count = mine_failures(day)
            tell(f"asking the teacher and routing {day} ({number} of {len(days)})")
            routes = route_examples(day)
            with connections.open_lake() as lake:
                counts = fetch(lake, _MINED, day=day)[0]
            mined.append({"day": day, **counts, "hard_examples": chosen_count, "routes": routes})
    return mined


@click.command(cls=Command)
@day_option
@json_option
def route(day: date | None, is_json: bool) -> None:
    """Ask the teacher, and decide who corrects each of a day's hard examples; `flywheel mine` does it as well.

    Example:
      flywheel route --day 2026-03-01
    """
    day = chosen_day(day)
    with running(f"routing {day}"):
        from flows.route import route_examples

        routes = route_examples(day)
    if is_json:
        show.print_json({"day": day, "routes": routes})
        return
    rows = [{"route": name, "examples": count} for name, count in routes.items()]
    show.print_table(rows, ("route", "examples"), empty=f"{day} has no hard examples; mine it first: flywheel mine.")


@click.command(cls=Command)
@day_option
@json_option
def publish(day: date | None, is_json: bool) -> None:
    """Publish everything accepted up to a day as the next release; a candidate that breaks a promise is refused.

    The same content published twice is one version. Exit code 1 when the gate refuses.

    Example:
      flywheel publish
      flywheel publish --json
    """
    day = chosen_day(day)
    with running(f"publishing up to {day}"):
        from flows.publish import publish_release

        release = publish_release(day)
    from flows.cli.releases import describe

    described = describe(release, open_store())
    if is_json:
        show.print_json(described)
        return
    folder = open_store().url(release.folder)
    click.echo(f"Published {release.dataset} version {release.version}: {show.readable(described['rows'])}.")
    click.echo(f"Load it: polars.read_parquet({folder + '/train.parquet'!r})")


@click.command(cls=Command)
@day_option
@json_option
def improve(day: date | None, is_json: bool) -> None:
    """Fine-tune on the newest release, compare with production on held-out failures and audited traffic, decide.

    A refused candidate is a result, not an error: exit code 0.

    Example:
      flywheel improve
    """
    day = chosen_day(day)
    with running(f"training and comparing on {day}"):
        from flows.improve import improve_model

        improvement = improve_model(day)
    if is_json:
        show.print_json(asdict(improvement))
        return
    decision = improvement.decision
    verdict = "promoted" if decision.promoted else "refused"
    click.echo(
        f"{improvement.candidate}, trained on version {improvement.version}, was {verdict}: {decision.reason}."
    )
    compared = (("held-out failures", improvement.failures), ("audited traffic", improvement.traffic))
    rows = [
        {
            "measured on": name,
            "examples": paired.n,
            improvement.production: paired.production_mean,
            improvement.candidate: paired.candidate_mean,
            "difference": f"{paired.difference.low:+.3f} to {paired.difference.high:+.3f}" if paired.n else None,
        }
        for name, paired in compared
    ]
    show.print_table(rows, tuple(rows[0]), empty="")


@click.command(cls=Command)
@day_option
@json_option
def watch(day: date | None, is_json: bool) -> None:
    """Compare a day's traffic with the seven days before, column by column; exit code 1 when something drifted.

    Example:
      flywheel watch --day 2026-03-08
    """
    day = chosen_day(day)
    drifted: DriftFound | None = None
    with running(f"watching {day}"):
        from flows.watch import watch_traffic

        try:
            watch_traffic(day)
        except DriftFound as found:
            drifted = found
    with open_lake() as lake:
        rows = fetch(lake, _DRIFT, day=day)
    if is_json:
        show.print_json(rows)
    else:
        show.print_table(rows, _DRIFT_SHOWN, empty=f"{day} has no traffic to compare.")
    if drifted is not None:
        raise drifted
