"""`flywheel doctor`: what is configured, reachable or missing, and what to do about it."""

from dataclasses import asdict

import click

from flows.cli import show
from flows.cli.checks import Check, State
from flows.cli.commands import Command
from flows.cli.opened import json_option

_MARKS = {State.OK: "ok", State.MISSING: "missing", State.BROKEN: "BROKEN"}


@click.command(cls=Command)
@json_option
def doctor(is_json: bool) -> int:
    """Show what is configured, reachable or missing, and what to do; exit code 1 if something needed is broken.

    Example:
      flywheel doctor
      flywheel doctor --json
    """
    with show.working("looking"):
        checks = _all_checks()
    if is_json:
        show.print_json([asdict(check) for check in checks])
    else:
        rows = [asdict(check) | {"state": _MARKS[check.state]} for check in checks]
        show.print_table(rows, ("what", "state", "found", "todo"), empty="")
    return int(any(check.state is State.BROKEN for check in checks))


def _all_checks() -> list[Check]:
    from flows.cli.checks import check_install, check_surroundings
    from flows.cli.checks_lake import check_lake

    checks = list(check_install())
    from flywheel.core.errors import UsageError

    try:
        from flows.cli.opened import read_settings

        settings = read_settings()
    except UsageError as wrong:
        return [*checks, Check("settings", State.BROKEN, str(wrong), "correct the setting")]
    return [*checks, *check_lake(settings), *check_surroundings(settings)]
