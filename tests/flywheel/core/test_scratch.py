"""The connection for rows that are not in the lake yet."""

import pytest

from flywheel.core.lake import Lake
from flywheel.core.scratch import one_thread


def test_one_thread_is_for_a_while_only(lake: Lake) -> None:
    def count() -> int:
        return int(lake.scalar("select current_setting('threads')"))

    before = count()
    with pytest.raises(ValueError, match="enough"), one_thread(lake):
        assert count() == 1
        raise ValueError("enough")
    assert count() == before
