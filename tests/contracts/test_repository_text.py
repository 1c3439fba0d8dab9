"""No file names the place it was written at or the server its packages came from."""

import re
from pathlib import Path

import pytest

# built from pieces, so that this file is not its own finding
HOSTS = ["pypi" + r"\.org", "python" + "hosted", "npm" + r"js\.(com|org)", "artifact" + "ory", "anaconda" + r"\.org"]
FOLDERS = ["home", "root", "work", "Users"]
PLACES = re.compile("|".join([*HOSTS, rf"(?<![\w./~$}}-])/({'|'.join(FOLDERS)})/"]), re.IGNORECASE)


def places_in(text: str) -> list[str]:
    """Return registry hosts and absolute paths of somebody's machine."""
    return [found.group() for found in PLACES.finditer(text)]


def test_no_file_names_a_registry_or_a_machine(tracked_files: list[Path], root: Path) -> None:
    found = {}
    for path in tracked_files:
        places = places_in(path.read_bytes().decode("utf-8", "replace"))
        if places:
            found[str(path.relative_to(root))] = places
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "see https://" + HOSTS[0].replace("\\", "") + "/p",
        "cd /" + "home/ann",
        '"/' + "work/x.py",
        "(/" + "Users/ann/x)",
    ],
)
def test_a_place_is_found(text: str) -> None:
    assert len(places_in(text)) == 1


@pytest.mark.parametrize("text", ["flows/" + "work/x", "~/" + "work/x", "http://host/" + "home/", "/homeless/"])
def test_other_paths_are_not(text: str) -> None:
    assert places_in(text) == []


def test_lock_names_no_index(root: Path) -> None:
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    assert "==" in lock
    assert "--hash=sha256:" in lock
    for banned in ("https:" + "//", "http:" + "//", "--index-url", "--extra-index-url", "--find-links", "-f "):
        assert banned not in lock
