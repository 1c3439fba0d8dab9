"""Tasks open the lake that settings name; here that is a temporary one."""

from collections.abc import Iterator

import pytest

from flywheel.core.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _named_lake(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FLYWHEEL_LAKE", settings.lake)
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()
