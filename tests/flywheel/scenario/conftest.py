"""Where the real data lies for tests, if it is here."""

import os
from pathlib import Path

import pytest

from flywheel.scenario.datasets import find

_BESIDE_THE_REPOSITORY = Path(__file__).parents[4] / "shared" / "data"
# Read on import: during a test no FLYWHEEL_* variable is set any more.
_PLACE = Path(os.environ.get("FLYWHEEL_DATA", _BESIDE_THE_REPOSITORY))


@pytest.fixture
def folder_of():
    """Return a function from a set's name to its folder; it skips the test, and says why, if there is none."""

    def folder(name: str) -> Path:
        found = find(name, _PLACE, _PLACE)
        if found is None:
            pytest.skip(f"{name} is not in {_PLACE}: set FLYWHEEL_DATA to a folder that holds {name}/")
        return found.path

    return folder
