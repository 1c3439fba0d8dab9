"""Processes that end themselves with SIGKILL at a chosen moment, and what has to hold afterwards."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flywheel.core.releases import list_releases, read_file
from flywheel.core.storage import FolderStore
from flywheel.core.tags import tags

# put before a test's script: a store and a lake that kill their own process right before something happens
_MORTAL = '''
import os, signal, sys
from contextlib import contextmanager
from flywheel.core.storage import FolderStore

class Fate:
    """Kill the process when an event that starts with a prefix happens for the n-th time: "put staged/:3"."""
    def __init__(self, moment):
        self.prefix, _, number = moment.rpartition(":")
        self.left = int(number)
    def meets(self, event):
        self.left -= event.startswith(self.prefix)
        return self.left == 0
    def before(self, event):
        if self.meets(event):
            os.kill(os.getpid(), signal.SIGKILL)

class MortalStore(FolderStore):
    def __init__(self, root, moment):
        super().__init__(root)
        self.fate = Fate(moment)
    def put(self, name, data):
        self.fate.before("put " + name)
        super().put(name, data)
    def put_new(self, name, data):
        self.fate.before("put " + name)
        return super().put_new(name, data)
    def delete(self, name):
        self.fate.before("delete " + name)
        super().delete(name)
    def _write_beside(self, path, data):
        if self.fate.meets("tear " + str(path.relative_to(self.root))):
            super()._write_beside(path, data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._write_beside(path, data)
'''
_MORTAL_LAKE = """
from flywheel.core.lake import Lake

class MortalLake(Lake):
    fate = Fate("never:1")
    def land(self, table, rows, run_id=""):
        self.fate.before("land " + table)
        return super().land(table, rows, run_id)
    @contextmanager
    def _commit(self, cursor, message, *rest):
        with super()._commit(cursor, message, *rest):
            yield
            self.fate.before("commit " + message)
"""


@pytest.fixture(scope="session")
def mortal() -> str:
    """Return the beginning of a script: MortalStore."""
    return _MORTAL


@pytest.fixture(scope="session")
def mortal_lake() -> str:
    """Return the beginning of a script: MortalStore and MortalLake."""
    return _MORTAL + _MORTAL_LAKE


@pytest.fixture(scope="session")
def killed() -> Callable[..., None]:
    """Return what runs a script and makes sure that SIGKILL ended it."""

    def run(script: str, *arguments: str) -> None:
        ended = subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr or ended.stdout

    return run


@pytest.fixture(scope="session")
def whole_releases() -> Callable[..., list[int]]:
    """Return what lists the versions a reader sees, each of whose files it has read and found to be as recorded."""

    def look(folder: Path, dataset: str = "corrections") -> list[int]:
        store = FolderStore(str(folder))
        pointed = tags(store, dataset).get("latest")  # first: what a tag points at is there already
        found = list_releases(store, dataset)
        for release in found:
            assert release.manifest["files"]
            for name in release.manifest["files"]:
                read_file(store, release, name)
        assert pointed is None or pointed in {release.version for release in found}
        return [release.version for release in found]

    return look
