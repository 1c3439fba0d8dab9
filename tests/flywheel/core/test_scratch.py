"""The connection for rows that are not in the lake yet."""

import pytest

from flywheel.core.lake import Lake
from flywheel.core.scratch import frugal


def test_frugal_is_for_a_while_only(lake: Lake) -> None:
    def state() -> list[tuple[int, bool]]:
        asked = "select current_setting('threads'), current_setting('enable_external_file_cache')"
        return lake.frame(asked).rows()

    before = state()
    with pytest.raises(ValueError, match="enough"), frugal(lake):
        assert state() == [(1, False)]
        raise ValueError("enough")
    assert state() == before
