"""`flywheel receive` says where it listens and refuses what it must not do; what it serves is tested elsewhere."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

Flywheel = Callable[..., Any]
COMMAND = [sys.executable, "-c", "import sys; from flows.cli.main import main; sys.exit(main(sys.argv[1:]))"]


def test_other_machines_need_a_token(flywheel: Flywheel) -> None:
    said = flywheel("receive", "--host", "0.0.0.0")  # noqa: S104 - refused
    assert (said.code, said.out) == (2, "")
    assert "Setting 'receive_token' is ''" in said.err
    assert "FLYWHEEL_RECEIVE_TOKEN" in said.err


def test_a_taken_port_is_said(flywheel: Flywheel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = flywheel("receive", "--port", str(taken.getsockname()[1]))
    assert said.code == 2
    assert "choose another" in said.err


def test_it_serves_until_interrupted(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    child = subprocess.Popen([*COMMAND, "receive", "--port", str(port)], cwd=tmp_path, stderr=subprocess.PIPE)
    try:
        assert child.stderr is not None
        assert f"http://127.0.0.1:{port}/v1/traces" in child.stderr.readline().decode()
        assert _health(port) == 200
        child.send_signal(signal.SIGINT)
        assert child.wait(60) in (0, 130)
    finally:
        child.kill()
        child.communicate()


def _health(port: int) -> int:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as reply:
                return int(reply.status)
        except OSError:
            time.sleep(0.2)
    return 0
