"""A store whose user dies at a write, and state machines driven until one shows what should not be."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    run_state_machine_as_test,
)

from flywheel.core.storage import FolderStore


class Died(BaseException):
    """The process is gone: nothing that would tidy up after an error may take it for one."""


class BrittleStore(FolderStore):
    """A store whose user dies right before one of its writes, or in the middle of it."""

    left: int | None = None
    is_torn = False

    def put(self, name: str, data: bytes) -> None:
        self._live(name, data)
        super().put(name, data)

    def put_new(self, name: str, data: bytes) -> bool:
        self._live(name, data)
        return super().put_new(name, data)

    def delete(self, name: str) -> None:
        self._live(name, b"")
        super().delete(name)

    def _live(self, name: str, data: bytes) -> None:
        if self.left is None:
            return
        if self.left == 0:
            if self.is_torn:
                self._write_beside(self._path(name), data[: len(data) // 2])
            raise Died(name)
        self.left -= 1


class Fate:
    """Let a store's user die at a write, and know whether it did."""

    def __init__(self, store: BrittleStore, death: int | None, is_torn: bool) -> None:
        self.store, self.death, self.is_torn, self.is_dead = store, death, is_torn, False

    def __enter__(self) -> "Fate":
        self.store.left, self.store.is_torn = self.death, self.is_torn
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> bool:
        self.store.left = None
        self.is_dead = kind is Died
        return self.is_dead


def drive(machine: Any, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
