"""Bring everything up on this machine: Prefect's server and a worker, deployments, alerts, local models, a receiver.

Each part is a context manager that stops what it started, by process id, so that nothing is left behind however the
block ends. The server's database is SQLite under the lake's control folder unless
PREFECT_SERVER_DATABASE_CONNECTION_URL names another.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from flows.processes import LOOK_AGAIN_SECONDS, interruptible, last_words, running
from flywheel.core.errors import MissingPart
from flywheel.core.settings import HOME, Settings, load_settings

POOL = "flywheel"
RUNS_AT_ONCE = 2  # embedded, one writer at a time has the lake: more runs would only wait
LOOPBACK = "127.0.0.1"

_START_SECONDS = 120.0  # 10 s on an idle machine; a first start also migrates its database
_PRIVATE = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}  # nothing about this install leaves it


def bring_up(port: int, receive_port: int) -> None:
    """Start everything, say where it is, and stop it all on Ctrl-C or SIGTERM; no receiver at port 0.

    Raises:
        MissingPart: a port is taken, or a part did not start or stopped by itself; its last words are quoted.

    """
    settings = load_settings()
    folder = settings.control_folder / "prefect"
    with interruptible(), running_server(folder, port) as api_url, _models(settings) as llm_url, ExitStack() as parts:
        deploy(api_url, folder, settings.alert_webhook)
        environment = {**settings_as_environment(settings), "FLYWHEEL_LLM_BASE_URL": llm_url}
        children = {"worker": parts.enter_context(running_worker(api_url, folder, environment))}
        if receive_port:
            children["receiver"] = parts.enter_context(running_receiver(folder, receive_port, environment))
        Console().print(_where(settings, api_url, llm_url, receive_port))
        while all(child.poll() is None for child in children.values()):
            time.sleep(LOOK_AGAIN_SECONDS)
        ended = next(name for name, child in children.items() if child.poll() is not None)
        raise MissingPart(f"The {ended}", f"It stopped by itself. {last_words(folder / f'{ended}.log')}")


@contextmanager
def running_server(folder: Path, port: int) -> Iterator[str]:
    """Run a Prefect server with its database and log under `folder`; yield its API's URL.

    Raises:
        MissingPart: the port is taken, or the server did not answer in time.

    """
    _check_free(port)
    api_url = f"http://{LOOPBACK}:{port}/api"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", LOOPBACK, "--port", str(port)]
    with running(command, _environment(folder), folder / "server.log") as server:
        _wait_until_healthy(server, api_url, folder / "server.log")
        yield api_url


@contextmanager
def running_worker(api_url: str, folder: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run one process worker of our pool, with these variables for the runs it starts; yield its process."""
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process"]
    command += ["--limit", str(RUNS_AT_ONCE)]
    with running(command, _environment(folder, api_url) | dict(environment), folder / "worker.log") as worker:
        yield worker


@contextmanager
def running_receiver(folder: Path, port: int, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run `flywheel receive` on this machine, with its log under `folder`; yield its process.

    Raises:
        MissingPart: the port is taken, or it did not answer in time.

    """
    _check_free(port)
    log_path = folder / "receiver.log"
    command = [sys.executable, "-m", "flows.cli.main", "receive", "--port", str(port)]
    with running(command, _environment(folder) | dict(environment), log_path) as receiver:
        _wait_until_healthy(receiver, f"http://{LOOPBACK}:{port}", log_path)
        yield receiver


def deploy(api_url: str, folder: Path, webhook: str) -> None:
    """Make pool, deployments and automations what this checkout says, and end the runs an earlier engine left.

    Raises:
        MissingPart: `prefect` refused; its output is quoted.

    """
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

    from flows.automations import apply_automations, crash_runs_left_behind

    with temporary_settings({PREFECT_API_URL: api_url, PREFECT_HOME: folder}):
        _ensure_pool()
        _prefect_deploy(folder, api_url)
        apply_automations(webhook)
        crash_runs_left_behind()


def settings_as_environment(settings: Settings) -> dict[str, str]:
    """Return what was set, as FLYWHEEL_* variables; folders absolute, because runs start in the checkout."""
    told = {name: getattr(settings, name) for name in settings.model_fields_set}
    logs = settings.logs if "://" in settings.logs else Path(settings.logs)
    told |= {"lake": settings.lake_root, "control": settings.control_folder, "logs": logs}
    return {f"FLYWHEEL_{name.upper()}": _plain(value) for name, value in told.items() if value is not None}


def _plain(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value.expanduser().resolve()) if isinstance(value, Path) else str(value)


@contextmanager
def _models(settings: Settings) -> Iterator[str]:
    """Yield where models are: the endpoint that settings name, or a local provider that ends with the block."""
    from flywheel.llm.local.server import LocalProvider

    if settings.llm_base_url:
        yield settings.llm_base_url
        return
    with LocalProvider(settings.control_folder / "local-models") as local:
        yield local.base_url


def _environment(folder: Path, api_url: str = "") -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    address = {"PREFECT_API_URL": api_url} if api_url else {}
    return inherited | _PRIVATE | {"PREFECT_HOME": str(folder)} | address


def _ensure_pool() -> None:
    """Create the work pool where it is missing; what an operator changed about it stays."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectNotFound
    from prefect.workers.process import ProcessWorker

    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(POOL)
        except ObjectNotFound:
            template = ProcessWorker.get_default_base_job_template()
            client.create_work_pool(WorkPoolCreate(name=POOL, type=ProcessWorker.type, base_job_template=template))


def _prefect_deploy(folder: Path, api_url: str) -> None:
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    environment = _environment(folder, api_url)
    done = subprocess.run(command, env=environment, cwd=HOME, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr)[-500:]
        raise MissingPart("The deployments of prefect.yaml", f"`prefect deploy --all` said: {said!r}.")


def _check_free(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as taken:
            raise MissingPart(
                f"Port {port} on {LOOPBACK}", f"It cannot be used ({taken}); choose another."
            ) from taken


def _wait_until_healthy(server: subprocess.Popen[bytes], url: str, log_path: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _is_healthy(url):
        if server.poll() is not None or time.monotonic() > deadline:
            raise MissingPart(f"The server at {url}", f"It did not start. {last_words(log_path)}")
        time.sleep(LOOK_AGAIN_SECONDS)


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:  # noqa: S310 - our own loopback server
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def _where(settings: Settings, api_url: str, llm_url: str, receive_port: int) -> Table:
    table = Table(title="Flywheel is up; Ctrl-C stops it", show_header=False)
    for row in (
        ("UI", api_url.removesuffix("/api")),
        ("Prefect API", f"export PREFECT_API_URL={api_url}"),
        ("Models", f"export FLYWHEEL_LLM_BASE_URL={llm_url}"),
        ("Receiver", f"http://{LOOPBACK}:{receive_port}" if receive_port else "off: give it a --receive-port"),
        ("Lake", settings.lake_root),
        ("Alerts", "to the webhook" if settings.alert_webhook else "no webhook: set alert_webhook to be told"),
        ("Logs", str(settings.control_folder / "prefect")),
    ):
        table.add_row(*row)
    return table
