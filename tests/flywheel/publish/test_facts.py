"""What a manifest says of a release beside its files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flywheel.core.settings import Settings
from flywheel.publish.facts import facts_of, settings_hash

Corrections = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def facts(candidate_of: Callable[..., Any], corrections: Corrections) -> dict[str, object]:
    rows = [
        *corrections(range(3), route="human", mode_name="late refunds"),
        *corrections([3], route="ai", author_kind="ai", depth=1, split="heldout"),
    ]
    settings = Settings(licence="CC-BY-4.0", consent="terms of 2026-01")
    return facts_of(candidate_of(rows), b"{}", "parent release", 7, settings)


def test_rows_are_counted_by_what_a_reader_asks_for(facts: dict[str, object]) -> None:
    assert facts["rows"] == {"train": 3, "heldout": 1, "retired": 0, "preferences": 0}
    assert facts["rows_by_author_kind"] == {"human": 3, "ai": 1}
    assert facts["rows_by_route"] == {"human": 3, "ai": 1}
    assert facts["rows_by_mode"] == {"late refunds": 3, "none": 1}
    assert facts["rows_by_depth"] == {"0": 3, "1": 1}


def test_licence_and_consent_are_as_set(facts: dict[str, object]) -> None:
    assert (facts["licence"], facts["consent"], facts["lake_version"]) == ("CC-BY-4.0", "terms of 2026-01", 7)


def test_places_and_keys_decide_nothing(tmp_path: Path) -> None:
    here = settings_hash(Settings())
    elsewhere = Settings(
        lake="s3://b/wheel", catalog="postgres:dbname=x password=y", control=tmp_path, s3_endpoint="minio:9000",
        llm_api_key="sk-1", receive_token="t", llm_base_url="http://m", alert_webhook="http://w",
    )  # fmt: skip
    assert settings_hash(elsewhere) == here
    assert settings_hash(Settings(daily_budget=7)) != here
    assert settings_hash(Settings(teacher_model="large")) != here
