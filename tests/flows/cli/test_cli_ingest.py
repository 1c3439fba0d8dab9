"""What the commands about logs print; reading itself needs Prefect and is tried in test_cli_wheel."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Flywheel = Callable[..., Any]


def test_sources_tell_file_by_file_what_became_of_the_records(flywheel: Flywheel, turned: Path) -> None:
    (told,) = json.loads(flywheel("sources", "--json", lake=turned).out)
    assert (told["format"], told["read"], told["landed"], told["duplicates"], told["quarantined"]) == (
        "openai",
        61,
        60,
        0,
        1,
    )
    assert (told["is_finished"], told["context_count"], told["size_bytes"] >= told["read_to"] > 0) == (True, 0, True)
    assert "openai" in flywheel("sources", lake=turned).out


def test_an_empty_lake_has_read_nothing(flywheel: Flywheel) -> None:
    said = flywheel("sources")
    assert (said.code, said.out.strip()) == (0, "No log was read yet: flywheel ingest FILE.")


def test_what_is_still_broken_stays_in_quarantine(flywheel: Flywheel, turned: Path) -> None:
    (told,) = json.loads(flywheel("quarantine", "retry", "--json", lake=turned).out)
    assert (told["tried"], told["resolved"], told["refused"]) == (1, 0, 1)
    said = flywheel("quarantine", "retry", "--reason", "no_such_reason", lake=turned)
    assert (said.code, said.out.strip()) == (0, "Nothing of a log in quarantine fits that.")
