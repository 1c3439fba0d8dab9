"""`flywheel correct`: bring people's answers, and accept what is fit to learn from."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from flows.cli import show
from flows.cli.commands import Command
from flows.cli.opened import day_option, json_option, open_lake, open_store
from flows.cli.stages import chosen_day, running


@click.command(cls=Command)
@day_option
@click.option(
    "--answers",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSONL file of people's answers; may be given several times.",
)
@json_option
def correct(day: date | None, files: Sequence[Path], is_json: bool) -> None:
    """Collect people's answers, judge them beside the models', and accept what is fit to learn from.

    A line of an answers file is {"author", "chosen"} with the "example_id" of the review queue, or with an "input"
    (and the "rejected" answer) of its own. A line that is no answer is set aside with its reason.

    Example:
      flywheel correct --answers answers.jsonl
      flywheel correct --day 2026-03-01 --json
    """
    offers = [_offer(path) for path in files]
    day = chosen_day(day)
    with running(f"collecting and judging answers for {day}"):
        from flows.correct import correct_examples

        verdicts = correct_examples(day)
    with open_lake() as lake:
        waiting_count = lake.scalar("select count(*) from open_reviews")
    outcome = {"day": day, "offers": offers, "verdicts": verdicts, "waiting_for_people": waiting_count}
    if is_json:
        show.print_json(outcome)
    else:
        _print_outcome(outcome)


def _offer(path: Path) -> dict[str, Any]:
    """Put a file into the inbox and its refused lines into quarantine; return what it held."""
    from flywheel.correct.day import quarantine_offers
    from flywheel.correct.inbox import RefusedOffer, put_in_inbox, read_offers

    data, now = path.read_bytes(), datetime.now(UTC)
    offers = list(read_offers(data, str(path), now, cost_usd=0.0))
    refused = [offer for offer in offers if isinstance(offer, RefusedOffer)]
    if len(refused) < len(offers):
        put_in_inbox(open_store(), data)
    with open_lake() as lake:
        quarantine_offers(lake, str(path), refused, now)
    reasons = dict(sorted(Counter(offer.reason for offer in refused).items()))
    return {"file": str(path), "answers": len(offers) - len(refused), "refused": len(refused), "reasons": reasons}


def _print_outcome(outcome: dict[str, Any]) -> None:
    if outcome["offers"]:
        show.print_table(outcome["offers"], ("file", "answers", "refused", "reasons"), empty="")
        click.echo()
    rows = [{"verdict": name, "answers": count} for name, count in outcome["verdicts"].items()]
    show.print_table(rows, ("verdict", "answers"), empty="No answers were judged.")
    click.echo(f"Waiting for people: {outcome['waiting_for_people']} (flywheel queue)")
    if outcome["verdicts"].get("accepted"):
        click.echo("Next: flywheel publish")
