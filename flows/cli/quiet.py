"""Start flows without Prefect's chatter: defaults before it is imported, and its server's words into a log file."""

import logging
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flywheel.core.errors import MissingPart

_DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # two busy cores took 17 s
}
_LEVEL = "PREFECT_LOGGING_LEVEL"
_HEALTH_SECONDS = 10


def calm_prefect(*, is_verbose: bool) -> None:
    """Set what Prefect reads when it is imported; whatever the environment says already stays."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    if is_verbose:
        os.environ.setdefault(_LEVEL, "INFO")


def start_prefect(log: Path) -> None:
    """Make sure that flows have a server to report to: the one PREFECT_API_URL names, else one that ends with us.

    The temporary server inherits its stderr, and prints long tracebacks of cancelled tasks when it is stopped; it
    gets `log` for that.

    Raises:
        MissingPart: the server does not answer, or the temporary one does not start.

    """
    is_calm = _LEVEL not in os.environ
    os.environ.setdefault(_LEVEL, "WARNING")
    import prefect.main  # noqa: F401 - importing it configures logging, which must come before we calm it
    from prefect.settings import PREFECT_API_URL

    if is_calm:
        _calm_loggers()
    url = PREFECT_API_URL.value()
    if url:
        _check(url)
    else:
        _start_temporary(log)


def _calm_loggers() -> None:
    """Keep from the terminal what `main` tells itself, and what other libraries log as information."""
    for name in ("prefect.flow_runs", "prefect.task_runs"):  # a failed run is logged with its traceback and raised
        logging.getLogger(name).propagate = False
    for handler in logging.getLogger().handlers:
        handler.setLevel(logging.WARNING)


def _start_temporary(log: Path) -> None:
    from prefect.server.api.server import SubprocessASGIServer

    try:
        with _stderr_into(log):
            SubprocessASGIServer().start()
    except RuntimeError as failed:
        raise MissingPart(
            "Prefect's temporary server",
            f"It did not start: {failed} See {str(log)!r}, or start one that stays: flywheel up.",
        ) from failed


def _check(url: str) -> None:
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=_HEALTH_SECONDS):  # noqa: S310 - the user's own
            pass
    except urllib.error.HTTPError:
        return  # it answers; what it refuses here it may allow with credentials
    except (OSError, ValueError) as failed:
        raise MissingPart(
            f"The Prefect server at {url!r} (PREFECT_API_URL)",
            f"It does not answer: {failed}. Start it with `flywheel up`, or unset PREFECT_API_URL to use a "
            "temporary one.",
        ) from failed


@contextmanager
def _stderr_into(path: Path) -> Iterator[None]:
    """Let processes started inside write their stderr to a file; ours is the terminal again afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = os.dup(2)
    try:
        with path.open("ab") as log:
            os.dup2(log.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
