import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import pytest
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob

from flywheel.core.errors import MissingPart
from flywheel.llm.local.server import LocalProvider

Job = Callable[..., FineTuningJob]


def opened(provider: LocalProvider) -> OpenAI:
    return OpenAI(base_url=provider.base_url, api_key="none", max_retries=0)


def is_served(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:  # gone, or just going
        return False
    finally:
        connection.close()


def beliefs(client: OpenAI, model: str) -> list[float]:
    question = [{"role": "user", "content": "card refund"}]
    reply = client.chat.completions.create(model=model, messages=question, temperature=0, logprobs=True)
    return [token.logprob for token in reply.choices[0].logprobs.content]


def test_a_restart_keeps_files_jobs_and_models(folder: Path, fine_tune: Job, intents: bytes) -> None:
    with LocalProvider(folder) as provider, opened(provider) as client:
        job = fine_tune(client, intents, model="wheel-large")
        before, port = beliefs(client, job.fine_tuned_model), int(provider.root_url.rsplit(":", 1)[1])
    assert not is_served(port)
    with LocalProvider(folder) as provider, opened(provider) as client:
        assert beliefs(client, job.fine_tuned_model) == before
        assert client.fine_tuning.jobs.retrieve(job.id) == job
        assert client.files.content(job.training_file).read() == intents


def test_a_running_job_is_cancelled_and_a_waiting_one_too(folder: Path, wait_for: Job, intents: bytes) -> None:
    slow = {"slow_training": {"ms": 60_000, "next": 1}}
    with LocalProvider(folder, faults=slow) as provider, opened(provider) as client:
        stored = client.files.create(file=("t.jsonl", intents), purpose="fine-tune")
        running, waiting, last = (
            client.fine_tuning.jobs.create(model="wheel-small", training_file=stored.id, seed=seed)
            for seed in (1, 2, 3)
        )
        wait_for(client, running.id, ("running",))
        cancelled = [client.fine_tuning.jobs.cancel(job.id) for job in (waiting, running)]
        assert [job.status for job in cancelled] == ["cancelled", "cancelled"]
        assert wait_for(client, last.id).status == "succeeded"
        assert client.fine_tuning.jobs.retrieve(running.id).fine_tuned_model is None
        assert len([model for model in client.models.list() if model.id.startswith("ft:")]) == 1


def test_a_job_interrupted_by_a_crash_is_done_after_the_restart(folder: Path, wait_for: Job, intents: bytes) -> None:
    with LocalProvider(folder, faults={"slow_training": {"ms": 60_000}}) as provider, opened(provider) as client:
        stored = client.files.create(file=("t.jsonl", intents), purpose="fine-tune")
        job = client.fine_tuning.jobs.create(model="wheel-small", training_file=stored.id)
        wait_for(client, job.id, ("running",))
        os.kill(provider.pid, 9)
    with LocalProvider(folder) as provider, opened(provider) as client:
        assert wait_for(client, job.id).status == "succeeded"
        messages = [event.message for event in client.fine_tuning.jobs.list_events(job.id)]
        assert "The server was restarted; the job starts again." in messages


def test_nothing_is_left_when_the_parent_dies(folder: Path) -> None:
    script = (
        "import os, pathlib, sys; from flywheel.llm.local.server import LocalProvider\n"
        "provider = LocalProvider(pathlib.Path(sys.argv[1])); provider.start(); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", script, str(folder)], check=False, timeout=60)
    port = json.loads((folder / "server.json").read_bytes())["port"]
    deadline = time.monotonic() + 15
    while is_served(port) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_served(port)


def test_two_servers_cannot_share_a_folder(provider: LocalProvider) -> None:
    with pytest.raises(MissingPart, match="Another local provider serves it"):
        LocalProvider(provider.folder).start()


def test_a_taken_port_is_named(provider: LocalProvider, folder: Path) -> None:
    port = int(provider.root_url.rsplit(":", 1)[1])
    with pytest.raises(MissingPart, match=f"Port {port} on 127.0.0.1"):
        LocalProvider(folder, port).start()


def test_a_misspelt_fault_stops_the_start(folder: Path) -> None:
    with pytest.raises(MissingPart, match="There is no fault 'fire'"):
        LocalProvider(folder, faults={"fire": {}}).start()


def test_a_provider_that_is_not_running_has_no_pid(folder: Path) -> None:
    with pytest.raises(MissingPart, match="Start it"):
        _ = LocalProvider(folder).pid
