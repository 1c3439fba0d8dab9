"""Route hard examples."""

from datetime import date

from prefect import task

from flywheel.core.connections import open_lake
from flywheel.core.settings import load_settings
from flywheel.route.day import route_day
from flywheel.route.policy import RoutingPolicy
from tasks.running import RETRY_DELAY_SECONDS, is_transient, run_id


@task(
    retries=3, retry_delay_seconds=RETRY_DELAY_SECONDS, retry_condition_fn=is_transient, task_run_name="route-{day}"
)
def choose_routes(day: date) -> dict[str, int]:
    """Decide who corrects each hard example; return how many went each way."""
    with open_lake() as lake:
        return route_day(lake, day, RoutingPolicy(human_budget=load_settings().human_budget), run_id())
