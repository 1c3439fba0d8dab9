"""`flywheel doctor` names what is there, what is not, and what to do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Flywheel = Callable[..., Any]


@pytest.fixture(autouse=True)
def _no_prefect_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


def states(said: Any) -> dict[str, str]:
    return {check["what"]: check["state"] for check in json.loads(said.out)}


def test_a_fresh_folder_has_all_that_is_needed(flywheel: Flywheel, tmp_path: Path) -> None:
    said = flywheel("doctor", "--json")
    found = states(said)
    needed = ("python", "packages", "duckdb extensions", "catalog", "lake", "object store", "model provider")
    assert [found[what] for what in needed] == ["ok"] * 7
    assert said.code == 0
    assert list((tmp_path / "lake" / "probes").iterdir()) == []


def test_a_provider_that_does_not_answer_is_broken(flywheel: Flywheel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    said = flywheel("doctor", "--json")
    assert (said.code, states(said)["model provider"]) == (1, "broken")


def test_a_bad_setting_is_a_row_of_its_own(flywheel: Flywheel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_AUDIT_SHARE", "many")
    said = flywheel("doctor", "--json")
    assert (said.code, states(said)["settings"]) == (1, "broken")


def test_the_webhook_is_not_printed(flywheel: Flywheel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_ALERT_WEBHOOK", "https://hooks.example.com/secret")
    said = flywheel("doctor", "--json")
    assert states(said)["alert webhook"] == "ok"
    assert "secret" not in said.out + said.err


def test_a_lake_that_cannot_be_made_is_broken(flywheel: Flywheel, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = flywheel("doctor", "--json", lake=tmp_path / "file" / "lake")
    assert (said.code, states(said)["lake"], states(said)["object store"]) == (1, "broken", "broken")
