"""`flywheel releases`: list, show, tag, roll back, compare, prove."""

import json
import shutil
import subprocess
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
    known = {"dataset", "version", "rows", "tags", "created_at", "content_hash", "forgotten_rows"}
    assert set(release) == known
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
    found = json.loads(said.out)
    assert {file["is_intact"] for file in found["files"]} == {True}
    assert {check["is_kept"] for check in found["checks"]} == {True}


def test_verify_names_what_a_release_does_not_keep(flywheel: Flywheel, copied: Path) -> None:
    manifest = copied / "releases" / "corrections" / "1" / "manifest.json"
    facts = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(facts | {"rows": facts["rows"] | {"train": 4_000}}))
    said = flywheel("releases", "verify", "1")
    assert said.code == 1
    assert "does not keep 'row counts are those of the manifest'" in said.err


def test_rollback_goes_to_the_version_before_or_the_one_named(flywheel: Flywheel, copied: Path) -> None:
    shutil.copytree(copied / "releases/corrections/1", copied / "releases/corrections/2")
    manifest = copied / "releases/corrections/2/manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"version": 2}))
    assert flywheel("releases", "tag", "2", "latest").code == 0
    assert flywheel("releases", "rollback").out == "latest was version 2 and is version 1 of corrections now.\n"
    assert json.loads(flywheel("releases", "show", "latest", "--json").out)["version"] == 1
    assert flywheel("releases", "rollback", "--to", "2").code == 0
    assert json.loads(flywheel("releases", "show", "latest", "--json").out)["version"] == 2


def test_rollback_without_anything_before_says_so(flywheel: Flywheel, copied: Path) -> None:
    said = flywheel("releases", "rollback")
    assert (said.code, "never pointed at a version below 1" in said.err) == (2, True)
    assert flywheel("releases", "rollback", "--tag", "nobody").code == 2


def test_card_is_printed(flywheel: Flywheel, copied: Path) -> None:
    assert flywheel("releases", "card").out == (copied / "releases/corrections/1/card.md").read_text()


def test_card_is_a_page_where_a_file_is_named(flywheel: Flywheel, copied: Path, tmp_path: Path) -> None:
    said = flywheel("releases", "card", "latest", "--report", str(tmp_path / "card.html"))
    assert (said.code, said.out, f"Wrote {tmp_path / 'card.html'}." in said.err) == (0, "", True)
    page = (tmp_path / "card.html").read_text()
    assert "<h1>Version 1</h1>" in page
    assert str(copied / "releases" / "corrections" / "1") in page


def test_the_page_of_a_damaged_release_is_not_written(flywheel: Flywheel, copied: Path, tmp_path: Path) -> None:
    (copied / "releases" / "corrections" / "1" / "gate.json").write_text("{}")
    said = flywheel("releases", "card", "--report", str(tmp_path / "card.html"))
    assert (said.code, "gate.json has sha256" in said.err) == (1, True)
    assert not (tmp_path / "card.html").exists()


def test_diff_tells_counts_reasons_and_rows(flywheel: Flywheel, turned: Path) -> None:
    found = json.loads(flywheel("releases", "diff", "1", "latest", "--json", lake=turned).out)
    assert found["counts"] == {"added": 0, "removed": 0, "changed": 0, "same": 46}
    assert set(found) == {"dataset", "before", "after", "counts", "reasons", "new_columns", "lost_columns", "rows"}
    assert "same 46" in flywheel("releases", "diff", "1", "1", lake=turned).out


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


def test_reproduce_gathers_the_same_again(flywheel: Flywheel, turned: Path) -> None:
    said = flywheel("releases", "reproduce", "latest", lake=turned)
    assert (said.code, "is what its recorded inputs give" in said.out) == (0, True), said.err


def test_a_pin_knows_a_release_from_one_that_was_forged_whole(
    flywheel: Flywheel, copied: Path, tmp_path: Path
) -> None:
    pin = tmp_path / "dataset.pin.json"
    assert flywheel("releases", "pin", "latest", "--out", str(pin)).code == 0
    assert json.loads(flywheel("releases", "pin", "1").out) == json.loads(pin.read_text())
    said = flywheel("releases", "verify", "--pin", str(pin), "--json")
    assert said.code == 0
    assert json.loads(said.out)["checks"][-1]["check"] == "it is the release that was pinned"
    manifest = copied / "releases/corrections/1/manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"licence": "do what you like"}))
    assert flywheel("releases", "verify", "1").code == 0  # it fits together, and is another's
    said = flywheel("releases", "verify", "--pin", str(pin))
    assert (said.code, "does not keep 'it is the release that was pinned'" in said.err) == (1, True)


def test_verify_wants_a_version_or_a_pin(flywheel: Flywheel, copied: Path, tmp_path: Path) -> None:
    assert flywheel("releases", "verify").code == 2
    assert flywheel("releases", "verify", "1", "--pin", "x").code == 2
    (tmp_path / "no.json").write_text("[]")
    said = flywheel("releases", "verify", "--pin", str(tmp_path / "no.json"))
    assert (said.code, "is no pin" in said.err) == (2, True)


def test_a_signature_by_a_trusted_key_is_asked_for(
    flywheel: Flywheel, copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("minisign") is None:
        pytest.skip("minisign is not installed (Debian: apt-get install minisign)")
    for name in ("ours", "theirs"):
        subprocess.run(["minisign", "-G", "-W", "-p", f"{name}.pub", "-s", name], cwd=tmp_path, check=True)
    public = (tmp_path / "ours.pub").read_text().splitlines()[1]
    monkeypatch.setenv("FLYWHEEL_TRUSTED_KEYS", json.dumps([public]))

    def failed() -> str:
        said = flywheel("releases", "verify", "1")
        return str(said.err) if said.code else ""

    assert "does not keep 'a trusted key signed its manifest': found 'no signature'" in failed()
    assert flywheel("releases", "sign", "1").code == 2  # with which key?
    assert flywheel("releases", "sign", "1", "--key", str(tmp_path / "theirs")).code == 0
    assert "a signature of no trusted key" in failed()
    said = flywheel("releases", "sign", "1", "--key", str(tmp_path / "ours"))
    assert (said.code, "has a signature already" in said.err) == (2, True)
    folder = copied / "releases/corrections/1"
    (folder / "manifest.json.minisig").unlink()
    for _ in range(2):  # again changes nothing
        assert flywheel("releases", "sign", "1", "--key", str(tmp_path / "ours")).code == 0
    assert failed() == ""
    subprocess.run(["minisign", "-Vm", str(folder / "manifest.json"), "-P", public], check=True)
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"licence": "do what you like"}))
    assert "or of another manifest" in failed()


def test_export_writes_a_folder_and_its_report(flywheel: Flywheel, copied: Path, tmp_path: Path) -> None:
    said = flywheel("releases", "export", "latest", "--format", "trl-dpo", "--out", "made", "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)["splits"]["train"]
    assert told["records"] == {"train.jsonl": 40}
    assert len((tmp_path / "made" / "train.jsonl").read_text().splitlines()) == 40
    assert "approximate" in told["tokens"]["counter"]


def test_export_names_the_formats_and_what_is_missing(flywheel: Flywheel, copied: Path, tmp_path: Path) -> None:
    said = flywheel("releases", "export", "--format", "trl-dop")
    assert (said.code, "Pass --format with one of: openai-sft, " in said.err) == (2, True)
    (tmp_path / "tools.json").write_text('{"name": "find"}')
    said = flywheel("releases", "export", "--format", "trl-dpo", "--tools", "tools.json")
    assert (said.code, "is no list of tool definitions" in said.err) == (2, True)
