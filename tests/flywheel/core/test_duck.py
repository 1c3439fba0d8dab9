import duckdb
import pytest

from flywheel.core.duck import open_duckdb
from flywheel.core.settings import Settings


def test_nothing_unsigned_can_be_loaded_however_often_a_lake_was_opened(settings: Settings) -> None:
    settings.control_folder.mkdir(parents=True)
    for _ in range(2):  # the second spares itself checking the signatures of what the first has loaded
        with open_duckdb(settings) as connection:
            assert connection.sql("select current_setting('allow_unsigned_extensions')").fetchone() == (False,)
            with pytest.raises(duckdb.InvalidInputException, match="while database is running"):
                connection.execute("set allow_unsigned_extensions = true")
