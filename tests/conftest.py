"""What every test may ask for: a lake of its own in a temporary folder, and settings that name it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flywheel.core.lake import Lake
from flywheel.core.settings import Settings


@pytest.fixture(autouse=True)
def _nothing_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the FLYWHEEL_* variables of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("FLYWHEEL_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Name an embedded lake that nothing else uses."""
    return Settings(lake=str(tmp_path / "lake"))


@pytest.fixture
def lake(settings: Settings) -> Iterator[Lake]:
    """Open that lake."""
    with Lake.open(settings) as opened:
        yield opened
