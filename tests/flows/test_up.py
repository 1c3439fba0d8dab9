import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.processes import end, offspring, parents
from flows.up import running_server, settings_as_environment
from flywheel.core.errors import MissingPart
from flywheel.core.settings import Settings


def test_runs_get_what_was_set_with_absolute_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = settings_as_environment(
        Settings(lake="wheel", cache=Path("kept"), llm_api_key=SecretStr("s3cret"), daily_budget=7)
    )
    assert told == {
        "FLYWHEEL_LAKE": str(tmp_path / "wheel"),
        "FLYWHEEL_CONTROL": str(tmp_path / "wheel"),
        "FLYWHEEL_LOGS": str(tmp_path / "logs"),
        "FLYWHEEL_CACHE": str(tmp_path / "kept"),
        "FLYWHEEL_LLM_API_KEY": "s3cret",
        "FLYWHEEL_DAILY_BUDGET": "7",
    }


def test_places_on_s3_stay_what_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = settings_as_environment(Settings(lake="s3://bucket/wheel", logs="s3://bucket/logs"))
    assert told == {
        "FLYWHEEL_LAKE": "s3://bucket/wheel",
        "FLYWHEEL_CONTROL": str(tmp_path / ".flywheel"),
        "FLYWHEEL_LOGS": "s3://bucket/logs",
    }


def test_settings_survive_the_way_through_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Settings(lake=str(tmp_path), logs=str(tmp_path), control=tmp_path, s3_use_ssl=False, run_budget_usd=0.5)
    for name, value in settings_as_environment(before).items():
        monkeypatch.setenv(name, value)
    assert Settings() == before


def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MissingPart, match=f"Port {port} on 127.0.0.1"), running_server(tmp_path, port):
            pass
    assert list(tmp_path.iterdir()) == []


STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"
)
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], start_new_session=True)"


def test_offspring_in_sessions_of_its_own_is_found_and_ended_even_if_it_will_not() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, STUBBORN], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    parent.stdout.readline()
    children = offspring(parent.pid)
    assert len(children) == 1
    end(children, patience_seconds=0.5)
    assert children[0] not in parents()
    parent.wait(10)
