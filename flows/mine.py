"""Find failures, name their modes and choose the hard examples."""

from datetime import date

from prefect import flow

from flywheel.core.connections import kept_open
from flywheel.core.settings import load_settings
from tasks.days import days_to_mine
from tasks.mine import choose_examples, find_repeats, name_modes, weigh_signals
from tasks.tables import build_table


@flow(name="mine", flow_run_name="mine-{day}")
def mine_failures(day: date | None = None) -> int:
    """Mine one day of production traces, or all that are due; return how many hard examples came out."""
    with kept_open():
        return sum(_mine(due) for due in days_to_mine(day))


def _mine(day: date) -> int:
    settings = load_settings()
    with kept_open(day):
        for table in ("traces", "feedback", "signals"):
            build_table(table, day)
        weigh_signals(day)
        build_table("failures", day)
        find_repeats(day)
        name_modes(day)
        return choose_examples(day, settings.daily_budget, round(settings.daily_budget * settings.audit_share))
