"""Scripts that run in processes of their own and begin at the same moment."""

import subprocess
import sys


class Race:
    """Processes that start at the same moment."""

    def __init__(self, script: str, *runners: list[str]) -> None:
        self.runners = [
            subprocess.Popen(
                [sys.executable, "-c", script, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for arguments in runners
        ]

    def start(self) -> None:
        for runner in self.runners:
            assert runner.stdout is not None
            assert runner.stdin is not None
            assert runner.stdout.readline() == "ready\n"
        for runner in self.runners:
            assert runner.stdin is not None
            runner.stdin.write("go\n")
            runner.stdin.flush()

    def is_on(self) -> bool:
        return any(runner.poll() is None for runner in self.runners)

    def results(self) -> list[str]:
        said = [runner.communicate(timeout=120)[0].strip() for runner in self.runners]
        assert [runner.returncode for runner in self.runners] == [0] * len(self.runners)
        return said
