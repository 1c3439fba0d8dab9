"""A model of what a dataset's releases may be, simple enough to be right by looking at it.

After a crash nobody knows how far the work came, so the model is a set of states: whatever is done is done to each of
them, whatever is seen leaves those that look like it, and one has to be left.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

Tags = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class State:
    """Contents of versions 1, 2, ...; each tag's log; content that was claimed for the next version, unfinished."""

    contents: tuple[str, ...] = ()
    logs: Tags = ()
    claimed: str | None = None

    @property
    def visible(self) -> tuple[tuple[str, ...], dict[str, int]]:
        """Return what a reader sees: contents, and where tags point."""
        return self.contents, {tag: log[-1] for tag, log in self.logs}

    def log(self, tag: str) -> tuple[int, ...]:
        return dict(self.logs).get(tag, ())

    def moved(self, tag: str, version: int) -> "State":
        if self.log(tag)[-1:] == (version,):
            return self
        return replace(self, logs=tuple(sorted({**dict(self.logs), tag: (*self.log(tag), version)}.items())))

    def advanced(self) -> "State":
        newest = len(self.contents)
        return self.moved("latest", newest) if newest > max(self.log("latest"), default=0) else self

    def finished(self) -> "State":
        return replace(self, contents=(*self.contents, self.claimed), claimed=None) if self.claimed else self


def published(state: State, content: str) -> list[State]:
    """Return the states that publishing goes through; the last is where it ends."""
    before = state.finished()
    if before.contents[-1:] == (content,):
        return [state, before, before.advanced()]
    claimed = replace(before, claimed=content)
    return [state, before, claimed, claimed.finished(), claimed.finished().advanced()]


def tagged(state: State, tag: str, version: int) -> list[State]:
    """Return the states that moving a tag goes through; to a version that is not there it does not move."""
    is_there = 1 <= version <= len(state.contents)
    return [state, state.moved(tag, version)] if is_there else [state]


def rolled_back(state: State, tag: str) -> list[State]:
    """Return the states that a rollback goes through: to the newest version, older than now, that it pointed at."""
    log = state.log(tag)
    older = [version for version in log if version < log[-1]]
    return [state, state.moved(tag, max(older))] if older else [state]


def repaired(state: State) -> list[State]:
    """Return the states that a repair goes through."""
    return [state, state.finished(), state.finished().advanced()] if state.claimed else [state]


def ends(ways: Iterable[list[State]], *, is_dead: bool) -> set[State]:
    """Return the states that are possible at the end, or where somebody may have died."""
    return {state for way in ways for state in (way if is_dead else way[-1:])}
