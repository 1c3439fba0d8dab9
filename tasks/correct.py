"""Send work to correctors, and collect what has arrived."""

from datetime import UTC, date, datetime

from prefect import task

from flywheel.core.connections import open_lake
from flywheel.core.settings import load_settings
from flywheel.core.storage import open_store
from flywheel.correct.correctors import HumanQueue, ModelTeacher
from flywheel.correct.day import (
    CorrectionPolicy,
    accept_answers,
    collect_answers,
    examples_for_models,
    examples_for_people,
)
from flywheel.correct.logged import LoggedFeedback
from flywheel.llm.connect import connected
from flywheel.llm.spend import record_spend
from flywheel.route.policy import RoutingPolicy
from tasks.running import RETRY_DELAY_SECONDS, is_transient, run_id, run_started

HUMAN_COST_USD = RoutingPolicy().human_cost_usd  # per answer: what routing plans with is what answers cost


@task(
    retries=3, retry_delay_seconds=RETRY_DELAY_SECONDS, retry_condition_fn=is_transient, task_run_name="queue-{day}"
)
def queue_for_people(day: date) -> int:
    """Put the day's examples for people into the review queue; return how many there are."""
    with open_lake() as lake:
        examples = examples_for_people(lake, day)
        HumanQueue(lake, open_store(), _noon(day), HUMAN_COST_USD).submit(examples)
        return len(examples)


@task(retries=3, retry_delay_seconds=RETRY_DELAY_SECONDS, retry_condition_fn=is_transient, task_run_name="ask-{day}")
def ask_teacher(day: date) -> int:
    """Ask the teacher model about the day's examples, within the run's budget; return how many answers are new."""
    settings = load_settings()
    if not settings.teacher_model:
        return 0
    with open_lake() as lake, connected(settings) as provider:
        # a retry of this run goes on with what is left, it does not start anew
        left_usd = settings.run_budget_usd - provider.ledger.spent_usd("correct", since=run_started())
        teacher = ModelTeacher(provider, settings.teacher_model, datetime.now(UTC), left_usd)
        teacher.submit(examples_for_models(lake, day))
        landed = collect_answers(lake, day, [teacher], run_id())
        record_spend(lake, provider.ledger, run_id())
        return landed


@task(
    retries=3, retry_delay_seconds=RETRY_DELAY_SECONDS, retry_condition_fn=is_transient, task_run_name="collect-{day}"
)
def collect_from_people(day: date) -> int:
    """Land the answers people have given so far; return how many are new."""
    with open_lake() as lake:
        return collect_answers(lake, day, [HumanQueue(lake, open_store(), _noon(day), HUMAN_COST_USD)], run_id())


@task(
    retries=3, retry_delay_seconds=RETRY_DELAY_SECONDS, retry_condition_fn=is_transient, task_run_name="heard-{day}"
)
def collect_from_log(day: date) -> int:
    """Land what users put in the place of answers, where settings trust them; return how many are new."""
    if not load_settings().learn_from_feedback:
        return 0
    with open_lake() as lake:
        return collect_answers(lake, day, [LoggedFeedback(lake, day)], run_id())


@task(
    retries=3, retry_delay_seconds=RETRY_DELAY_SECONDS, retry_condition_fn=is_transient, task_run_name="accept-{day}"
)
def accept(day: date) -> dict[str, int]:
    """Turn the answers that are fit for it into corrections; return the verdicts."""
    with open_lake() as lake:
        return accept_answers(lake, day, CorrectionPolicy(), run_id())


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
