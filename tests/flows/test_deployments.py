import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.flows import load_flow_from_entrypoint

from flywheel.core.lake import Lake
from flywheel.core.settings import HOME

PREFECT_YAML = yaml.safe_load((HOME / "prefect.yaml").read_text())
PAGE = (HOME / "docs" / "operating.md").read_text()
DEPLOYMENTS: list[dict[str, Any]] = PREFECT_YAML["deployments"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda deployment: deployment["name"])
def test_entrypoint_loads_strictly_and_has_the_name_of_its_deployment(
    deployment: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(HOME)
    flow = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)
    assert (flow.name, Path(deployment["entrypoint"]).stem) == (deployment["name"], deployment["name"])
    assert set(deployment["parameters"]) == set(flow.parameters.properties)


def test_every_stage_is_scheduled_in_the_order_of_the_wheel() -> None:
    crons = {deployment["name"]: deployment["schedules"][0]["cron"] for deployment in DEPLOYMENTS}
    assert crons == {
        "ingest": "0 1 * * *",
        "mine": "0 2 * * *",
        "watch": "30 2 * * *",
        "route": "0 3 * * *",
        "correct": "0 4 * * *",
        "publish": "0 5 * * *",
        "improve": "0 6 * * 1",
        "keep": "0 7 * * *",
    }


def test_operating_page_shows_this_schedule() -> None:
    rows = [f"| `{deployment['name']}` | `{deployment['schedules'][0]['cron']}` |" for deployment in DEPLOYMENTS]
    assert [row for row in rows if row not in PAGE] == []


@pytest.mark.parametrize("statement", re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL))
def test_statement_of_the_operating_page_runs(statement: str, lake: Lake) -> None:
    assert lake.connection.execute(statement).fetchall() in ([], [(0,)])


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda deployment: deployment["name"])
def test_schedules_are_in_utc_and_one_run_goes_at_a_time(deployment: dict[str, Any]) -> None:
    assert [schedule["timezone"] for schedule in deployment["schedules"]] == ["UTC"]
    assert deployment["concurrency_limit"]["limit"] == 1
    assert deployment["work_pool"]["name"] == "flywheel"
    assert deployment["tags"] == ["flywheel", deployment["name"]]


def test_paths_are_relative_to_the_checkout() -> None:
    text = (HOME / "prefect.yaml").read_text()
    assert str(HOME) not in text
    assert not [deployment for deployment in DEPLOYMENTS if Path(deployment["entrypoint"]).is_absolute()]
