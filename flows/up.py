"""Bring everything up on this machine: a Prefect server, the local models, the deployments, their alerts, a worker.

Each part is a context manager that stops what it started, by process id, so that nothing is left behind however the
block ends. The server's database is SQLite under the lake's control folder unless
PREFECT_SERVER_DATABASE_CONNECTION_URL names another.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from flywheel.core.errors import MissingPart
from flywheel.core.settings import HOME, Settings, load_settings

POOL = "flywheel"
RUNS_AT_ONCE = 2  # embedded, one writer at a time has the lake: more runs would only wait
LOOPBACK = "127.0.0.1"

_START_SECONDS = 120.0  # 10 s on an idle machine; a first start also migrates its database
_STOP_SECONDS = 10.0  # what `docker stop` grants; stages commit whole, so killing a run leaves nothing half-done
_LOOK_AGAIN_SECONDS = 0.2
_PRIVATE = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}  # nothing about this install leaves it


def bring_up(port: int) -> None:
    """Start everything, say where it is, and stop it all on Ctrl-C or SIGTERM.

    Raises:
        MissingPart: the port is taken, or a part did not start or stopped by itself; its last words are quoted.

    """
    settings = load_settings()
    folder = settings.control_folder / "prefect"
    with _interruptible(), running_server(folder, port) as api_url, _models(settings) as llm_url:
        deploy(api_url, folder, settings.alert_webhook)
        environment = {**settings_as_environment(settings), "FLYWHEEL_LLM_BASE_URL": llm_url}
        with running_worker(api_url, folder, environment) as worker:
            Console().print(_where(settings, api_url, llm_url))
            worker.wait()
            raise MissingPart("The worker", f"It stopped by itself. {_last_words(folder / 'worker.log')}")


@contextmanager
def running_server(folder: Path, port: int) -> Iterator[str]:
    """Run a Prefect server with its database and log under `folder`; yield its API's URL.

    Raises:
        MissingPart: the port is taken, or the server did not answer in time.

    """
    _check_free(port)
    api_url = f"http://{LOOPBACK}:{port}/api"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", LOOPBACK, "--port", str(port)]
    with _running(command, _environment(folder), folder / "server.log") as server:
        _wait_until_healthy(server, api_url, folder / "server.log")
        yield api_url


@contextmanager
def running_worker(api_url: str, folder: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run one process worker of our pool, with these variables for the runs it starts; yield its process."""
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process"]
    command += ["--limit", str(RUNS_AT_ONCE)]
    with _running(command, _environment(folder, api_url) | dict(environment), folder / "worker.log") as worker:
        yield worker


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


@contextmanager
def _interruptible() -> Iterator[None]:
    """End the block on the first Ctrl-C or SIGTERM; further ones are ignored while everything is being stopped."""

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        Console().print("Stopped.")
    finally:
        for each, previous in before.items():
            signal.signal(each, previous)


@contextmanager
def _running(command: list[str], environment: dict[str, str], log_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("wb") as log:
        # a session of its own: Ctrl-C in the terminal reaches us alone, and we stop the parts in order
        child = subprocess.Popen(
            command,
            env=environment,
            cwd=HOME,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield child
        finally:
            _stop(child)


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Stop the runs a child started, while what they report to still listens, and then the child."""
    _end(_offspring(child.pid))
    _end([child.pid, *_offspring(child.pid)])
    child.wait()


def _end(pids: list[int], patience_seconds: float = _STOP_SECONDS) -> None:
    """End processes gently, and for good if they take too long."""
    _signal(pids, signal.SIGTERM)
    deadline = time.monotonic() + patience_seconds
    while not _parents().keys().isdisjoint(pids):
        if time.monotonic() > deadline:
            _signal(pids, signal.SIGKILL)
        time.sleep(_LOOK_AGAIN_SECONDS)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # it ended by itself in the meantime, which is what we want
            os.kill(pid, number)


def _offspring(pid: int) -> list[int]:
    """Return the ids of a process's children and theirs; runs have sessions of their own, so no group holds them."""
    parents, found = _parents(), [pid]
    for known in found:  # grows while it is walked
        found += [child for child, parent in parents.items() if parent == known]
    return found[1:]


def _parents() -> dict[int, int]:
    """Return the parent of every living process."""
    listed = _from_proc() if Path("/proc/self/stat").exists() else _from_ps()
    rows = (line.split() for line in listed)
    return {int(pid): int(parent) for pid, parent, state in rows if not state.startswith("Z")}


def _from_proc() -> Iterator[str]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # ended while we looked
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            yield f"{stat.parent.name} {parent} {state}"


def _from_ps() -> list[str]:
    command = ["ps", "-A", "-o", "pid=,ppid=,stat="]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


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


def _wait_until_healthy(server: subprocess.Popen[bytes], api_url: str, log_path: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _is_healthy(api_url):
        if server.poll() is not None or time.monotonic() > deadline:
            raise MissingPart("The Prefect server", f"It did not start. {_last_words(log_path)}")
        time.sleep(_LOOK_AGAIN_SECONDS)


def _is_healthy(api_url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{api_url}/health", timeout=5) as answer:  # noqa: S310 - our own loopback server
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def _last_words(log_path: Path) -> str:
    lines = [line for line in log_path.read_text(errors="replace").splitlines() if line.strip()]
    return f"Its log {str(log_path)!r} ends: {lines[-1]!r}." if lines else f"Its log {str(log_path)!r} is empty."


def _where(settings: Settings, api_url: str, llm_url: str) -> Table:
    table = Table(title="Flywheel is up; Ctrl-C stops it", show_header=False)
    for row in (
        ("UI", api_url.removesuffix("/api")),
        ("Prefect API", f"export PREFECT_API_URL={api_url}"),
        ("Models", f"export FLYWHEEL_LLM_BASE_URL={llm_url}"),
        ("Lake", settings.lake_root),
        ("Alerts", "to the webhook" if settings.alert_webhook else "no webhook: set alert_webhook to be told"),
        ("Logs", str(settings.control_folder / "prefect")),
    ):
        table.add_row(*row)
    return table
