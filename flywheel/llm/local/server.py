"""Run the provider: in the foreground, or as a child process that a context manager starts and stops."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout

import flywheel
from flywheel.core.errors import MissingPart
from flywheel.llm.local.disk import read_json, write_json

LOOPBACK = "127.0.0.1"

_STARTED = "server.json"
_START_SECONDS = 60.0  # two busy cores make imports slow
_STOP_SECONDS = 15.0
_LOCK_SECONDS = 3.0  # an orphan of the same folder is gone by then
_LOOK_AGAIN_SECONDS = 0.02
_ORPHAN_SECONDS = 0.5
_SOURCE_ROOT = Path(flywheel.__file__).parent.parent
# One thread per fit: faster for matrices this small, and the same sums in the same order everywhere.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class LocalProvider:
    """Run the provider as a child process: `with LocalProvider(folder) as provider: provider.base_url`."""

    def __init__(self, folder: Path, port: int = 0, faults: Mapping[str, Any] | None = None) -> None:
        self.folder = folder
        self._port = port
        self._faults = dict(faults or {})
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def root_url(self) -> str:
        """Return the server's root, where /health, /_faults and /_count are."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def base_url(self) -> str:
        """Return what an OpenAI client takes as its base_url."""
        return f"{self.root_url}/v1"

    @property
    def pid(self) -> int:
        """Return the child's process id; raises MissingPart before the start and after the stop."""
        if self._child is None:
            raise MissingPart("The local provider", "Start it: use it as a context manager.")
        return self._child.pid

    def start(self) -> None:
        """Start the child and wait until it answers; raises MissingPart with its last words if it dies."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "server.log").open("ab") as log:
            self._child = subprocess.Popen(self._command(), stdout=log, stderr=log, env=_child_env())
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._child.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise MissingPart("The local provider", f"It did not start. {self._last_words()}")
            time.sleep(_LOOK_AGAIN_SECONDS)

    def stop(self) -> None:
        """Stop the child, gently first."""
        child, self._child = self._child, None
        if child is None:
            return
        child.terminate()
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "flywheel.llm.local", "--folder", str(self.folder)]
        command += ["--port", str(self._port), "--parent", str(os.getpid())]
        return [*command, "--faults", json.dumps(self._faults)]

    def _answers(self) -> bool:
        started = self.folder / _STARTED
        if not started.exists():
            return False
        row = read_json(started)
        if row["pid"] != self.pid:  # left by an earlier server
            return False
        self._port = row["port"]
        return _is_healthy(self._port)

    def _last_words(self) -> str:
        lines = (self.folder / "server.log").read_text(errors="replace").splitlines()
        return f"Its log ends: {lines[-1]!r}." if lines else "It wrote no log."


def running_at(folder: Path) -> str | None:
    """Return the base_url of the server that serves this folder already, or None."""
    started = folder / _STARTED
    if not started.exists():
        return None
    port = read_json(started)["port"]
    return f"http://{LOOPBACK}:{port}/v1" if _is_healthy(port) else None


def run(
    folder: Path,
    host: str = LOOPBACK,
    port: int = 0,
    faults: Mapping[str, Any] | None = None,
    parent: int | None = None,
) -> None:
    """Serve in the foreground until interrupted, or until the process `parent` is gone.

    Raises MissingPart when the port or the folder is taken.
    """
    for name, value in _ONE_THREAD.items():
        os.environ.setdefault(name, value)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except Timeout as error:
        remedy = "Another local provider serves it; stop that one or use another folder."
        raise MissingPart(f"The folder {str(folder)!r}", remedy) from error
    with lock, _bound(host, port) as listener:
        _serve(folder, listener, faults or {}, parent)


def _serve(folder: Path, listener: socket.socket, faults: Mapping[str, Any], parent: int | None) -> None:
    import uvicorn

    from flywheel.llm.local.app import create_app
    from flywheel.llm.local.faults import Switches

    app = create_app(folder, Switches(faults))
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    if parent is not None:
        threading.Thread(target=_follow, args=(server, parent), name="orphan-watch", daemon=True).start()
    threading.Thread(target=_warm, name="warm-up", daemon=True).start()
    write_json(folder / _STARTED, {"pid": os.getpid(), "port": listener.getsockname()[1]})
    server.run(sockets=[listener])


def _bound(host: str, port: int) -> socket.socket:
    # named as TCP, or asyncio leaves Nagle's algorithm on and every call waits 40 ms for it
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise MissingPart(f"Port {port} on {host}", f"It cannot be used ({error}); choose another.") from error
    return listener


def _follow(server: Any, parent: int) -> None:
    """Stop serving when the parent is gone, so that nothing is left behind by a crash."""
    while os.getppid() == parent:
        time.sleep(_ORPHAN_SECONDS)
    server.should_exit = True


def _warm() -> None:
    """Import what the first training and the first embedding need."""
    import sklearn.linear_model
    import sklearn.svm  # noqa: F401 - imported to be in memory

    from flywheel.llm.local.embeddings import embed

    embed(["warm"])


def _is_healthy(port: int) -> bool:
    connection = HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _child_env() -> dict[str, str]:
    """Let the child find this source tree wherever it is started from."""
    path = os.pathsep.join(filter(None, [str(_SOURCE_ROOT), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, **_ONE_THREAD, "PYTHONPATH": path}
