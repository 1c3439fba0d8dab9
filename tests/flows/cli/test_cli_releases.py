"""`flywheel releases`: list, show, tag, verify."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Flywheel = Callable[..., Any]


@pytest.fixture
def copied(turned: Path, tmp_path: Path) -> Path:
    """Copy the releases of the turned wheel, to change them."""
    for part in ("releases", "tags"):
        shutil.copytree(turned / part, tmp_path / "lake" / part)
    return tmp_path / "lake"


def test_list_has_what_a_reader_needs(flywheel: Flywheel, copied: Path) -> None:
    (release,) = json.loads(flywheel("releases", "list", "--json").out)
    assert set(release) == {"dataset", "version", "rows", "tags", "created_at", "content_hash"}
    assert (release["dataset"], release["version"], release["tags"]) == ("corrections", 1, ["latest"])
    assert release["rows"] == {"train": 40, "heldout": 6, "retired": 0, "preferences": 40}


def test_a_tag_points_where_it_is_told(flywheel: Flywheel, copied: Path) -> None:
    assert flywheel("releases", "tag", "latest", "prod-2026-11").code == 0
    shown = json.loads(flywheel("releases", "show", "prod-2026-11", "--json").out)
    assert (shown["version"], shown["tags"]) == (1, ["latest", "prod-2026-11"])


@pytest.mark.parametrize("name", ["7", "Prod", "../x", "a b", ""])
def test_a_tag_that_could_be_mistaken_is_refused(flywheel: Flywheel, copied: Path, name: str) -> None:
    said = flywheel("releases", "tag", "1", name)
    assert (said.code, f"{name!r} cannot be a tag" in said.err) == (2, True)


def test_verify_accepts_what_was_published(flywheel: Flywheel, copied: Path) -> None:
    said = flywheel("releases", "verify", "1", "--json")
    assert said.code == 0
    assert {file["is_intact"] for file in json.loads(said.out)["files"]} == {True}


def test_verify_names_a_changed_file(flywheel: Flywheel, copied: Path) -> None:
    (copied / "releases" / "corrections" / "1" / "card.md").write_text("changed")
    said = flywheel("releases", "verify", "1")
    assert said.code == 1
    assert said.err.count("releases/corrections/1/card.md has sha256") == 1


def test_verify_names_a_missing_file(flywheel: Flywheel, copied: Path) -> None:
    (copied / "releases" / "corrections" / "1" / "train.parquet").unlink()
    said = flywheel("releases", "verify", "1")
    assert (said.code, "has sha256 'no such file'" in said.err) == (1, True)


def test_a_broken_release_does_not_break_other_queries(flywheel: Flywheel, copied: Path) -> None:
    (copied / "releases" / "corrections" / "1" / "train.parquet").write_bytes(b"nonsense")
    assert flywheel("sql", "select version from releases").code == 0
    assert flywheel("sql", "from release_corrections_1_heldout").code == 0
    assert flywheel("sql", "from release_corrections_1").code == 2
