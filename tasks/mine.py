"""The parts of mining that are more than a query."""

from datetime import date

from prefect import task

from flywheel.core.connections import open_lake
from flywheel.core.settings import load_settings
from flywheel.llm.connect import connected
from flywheel.llm.spend import record_spend
from flywheel.mine.labels import weigh_signals as weigh
from flywheel.mine.named import name_modes as name
from flywheel.mine.note_models import NoteModels
from flywheel.mine.repeats import find_repeats as find
from flywheel.mine.selection_day import Quota
from flywheel.mine.selection_day import choose_examples as choose
from tasks.running import RETRY_DELAY_SECONDS, is_transient, run_id, run_started


@task(retries=3, retry_delay_seconds=RETRY_DELAY_SECONDS, retry_condition_fn=is_transient)
def weigh_signals(day: date) -> int:
    """Fit the label model; return how many signals it weighed."""
    with open_lake() as lake:
        return weigh(lake, day, run_id())


@task(retries=3, retry_delay_seconds=RETRY_DELAY_SECONDS, retry_condition_fn=is_transient)
def find_repeats(day: date) -> int:
    """Collapse near-duplicate failures; return how many distinct ones remain."""
    with open_lake() as lake:
        return find(lake, day, run_id())


@task(retries=3, retry_delay_seconds=RETRY_DELAY_SECONDS, retry_condition_fn=is_transient)
def name_modes(day: date) -> int:
    """Group and name the day's failures; return how many modes they have."""
    settings = load_settings()
    with open_lake() as lake:
        if not (settings.note_model or settings.embedding_model):
            return name(lake, day, run_id())
        with connected(settings) as provider:
            ledger, since = provider.ledger, run_started()

            def left_usd() -> float:
                spent = [ledger.spent_usd(purpose, since=since) for purpose in NoteModels.purposes]
                return max(0.0, settings.run_budget_usd - sum(spent))

            models = NoteModels(provider, settings.note_model, settings.embedding_model, left_usd)
            try:
                return name(lake, day, run_id(), models=models)
            finally:
                record_spend(lake, provider.ledger, run_id())


@task(retries=3, retry_delay_seconds=RETRY_DELAY_SECONDS, retry_condition_fn=is_transient)
def choose_examples(day: date, budget: int, audit_count: int) -> int:
    """Choose what is worth correcting, looking at again and auditing; return how many examples the day has."""
    with open_lake() as lake:
        return choose(lake, day, Quota(budget, audit_count), run_id())
