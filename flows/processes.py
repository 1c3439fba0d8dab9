"""Child processes that end with the block that started them, by their ids, with all that they started."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from rich.console import Console

from flywheel.core.settings import HOME

_STOP_SECONDS = 10.0  # what `docker stop` grants; stages commit whole, so killing a run leaves nothing half-done
LOOK_AGAIN_SECONDS = 0.2


@contextmanager
def interruptible() -> Iterator[None]:
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
def running(command: list[str], environment: dict[str, str], log_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command from the checkout with its output in a log; yield its process, and stop all of it in the end."""
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
    end(offspring(child.pid))
    end([child.pid, *offspring(child.pid)])
    child.wait()


def end(pids: list[int], patience_seconds: float = _STOP_SECONDS) -> None:
    """End processes gently, and for good if they take too long."""
    _signal(pids, signal.SIGTERM)
    deadline = time.monotonic() + patience_seconds
    while not parents().keys().isdisjoint(pids):
        if time.monotonic() > deadline:
            _signal(pids, signal.SIGKILL)
        time.sleep(LOOK_AGAIN_SECONDS)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # it ended by itself in the meantime, which is what we want
            os.kill(pid, number)


def offspring(pid: int) -> list[int]:
    """Return the ids of a process's children and theirs; runs have sessions of their own, so no group holds them."""
    parent_of, found = parents(), [pid]
    for known in found:  # grows while it is walked
        found += [child for child, parent in parent_of.items() if parent == known]
    return found[1:]


def parents() -> dict[int, int]:
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


def last_words(log_path: Path) -> str:
    """Return a sentence with the last line of a log."""
    lines = [line for line in log_path.read_text(errors="replace").splitlines() if line.strip()]
    return f"Its log {str(log_path)!r} ends: {lines[-1]!r}." if lines else f"Its log {str(log_path)!r} is empty."
