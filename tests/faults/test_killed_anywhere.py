"""Kill -9 right before a system call that changes a file, of whatever changes the lake or its releases.

A server forks a child for each kill; strace takes hold of the child, and ends it at the n-th call of a kind.
Afterwards a reader has to see one whole version, what was acknowledged has to be there, and the same work again has
to heal it all.
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flywheel.core.lake import Lake
from tests.faults.acts import ACTS, World

pytestmark = [pytest.mark.xdist_group("killed_anywhere"), pytest.mark.timeout(3600)]

CALLS = (
    *("write", "pwrite64", "writev", "fsync", "fdatasync", "ftruncate"),
    *("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat"),
)
ROOT = Path(__file__).parents[2]
# how many kills, with every change of the code and in the slow suite; each step comes before any comes twice
FEW = {"publish": 8, "tag": 7, "land": 4, "forget": 1}
MANY = {"publish": 260, "tag": 70, "land": 519, "publish_day": 90, "compact": 64, "forget": 110, "move": 100}
Step = tuple[str, int]  # a system call, and its how manieth in one thread


@dataclass
class Undertaker:
    """Does things to a world that is made anew each time, and kills who does them."""

    template: Path
    world: World
    server: "subprocess.Popen[str]"

    def renew(self) -> None:
        shutil.rmtree(self.world.folder, ignore_errors=True)
        shutil.copytree(self.template, self.world.folder)

    def run(self, act: str, *options: str) -> tuple[int, bool]:
        """Return how the child ended, and whether it said before that it was done."""
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(act + "\n")
        self.server.stdin.flush()
        child = int(self.server.stdout.readline())
        command = ["strace", "-f", "-p", str(child), *options]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
            assert strace.stderr is not None
            assert "attached" in strace.stderr.readline()
            os.kill(child, signal.SIGCONT)
            strace.communicate(timeout=120)
        status, is_acknowledged = json.loads(self.server.stdout.readline())
        return status, is_acknowledged

    def steps(self, act: str) -> list[Step]:
        """Return every call that an undisturbed run makes in one of its threads."""
        self.renew()
        trace = self.template.with_name("trace")
        assert self.run(act, "-e", f"trace={asked(CALLS)}", "-o", str(trace)) == (0, True)
        counts = Counter(re.findall(r"^(\d+) +(\w+)\(", trace.read_text(), re.MULTILINE))
        most: dict[str, int] = {}
        for (_, name), count in counts.items():
            most[name] = max(count, most.get(name, 0))
        return [(name, number) for name, count in sorted(most.items()) for number in range(1, count + 1)]

    def kill(self, act: str, step: Step) -> tuple[bool, bool]:
        """Return whether the child died of it, and whether it said before that it was done."""
        self.renew()
        name, number = step
        inject = f"inject={name}:signal=KILL:when={number}"
        status, is_acknowledged = self.run(act, "-e", f"trace={name}", "-e", inject, "-o", os.devnull)
        assert status in (0, -signal.SIGKILL)
        return status != 0, is_acknowledged


def asked(calls: tuple[str, ...]) -> str:
    return ",".join(f"?{name}" for name in calls)  # a call that this machine does not have is left out


@pytest.fixture(scope="module")
def undertaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undertaker]:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed (Debian: apt-get install strace)")
    folder = tmp_path_factory.mktemp("killed")
    world = World(folder / "world")  # always here: the catalog knows its rows by their whole path
    world.make()
    world.folder.rename(folder / "template")
    command = [sys.executable, "-m", "tests.faults.acts", str(world.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        yield Undertaker(folder / "template", world, server)
        assert server.stdin is not None
        server.stdin.close()


def kill_at(undertaker: Undertaker, name: str, steps: list[Step]) -> int:
    """Kill at each step, look, do it again and look again; return how often the child did die."""
    act, world, killed = ACTS[name], undertaker.world, 0
    for step in steps:
        has_died, is_acknowledged = undertaker.kill(name, step)
        try:
            act.see(world, is_acknowledged=is_acknowledged)
            act.do(world, prepared := act.prepare(world))
            if isinstance(prepared, Lake):
                prepared.close()
            act.see_healed(world)
            world.assert_healthy()
        except BaseException as failed:
            failed.add_note(f"{name} was killed at {step}, {is_acknowledged=}")
            raise
        killed += has_died
    return killed


def chosen(steps: list[Step], count: int) -> list[Step]:
    """Return that many steps in an order of chance that is always the same, each before any of them again."""
    chance = random.Random(count)
    rounds = [chance.sample(steps, len(steps)) for _ in range(-(-count // len(steps)))]
    return [step for once in rounds for step in once][:count]


@pytest.mark.parametrize("name", FEW)
def test_killed_at_some_steps(undertaker: Undertaker, name: str) -> None:
    kill_at(undertaker, name, chosen(undertaker.steps(name), FEW[name]))


@pytest.mark.slow
@pytest.mark.parametrize("name", MANY)
def test_killed_a_thousand_times(undertaker: Undertaker, name: str) -> None:
    killed = kill_at(undertaker, name, chosen(undertaker.steps(name), MANY[name]))
    assert killed > 0.8 * MANY[name]  # where threads share the work a step may not come
