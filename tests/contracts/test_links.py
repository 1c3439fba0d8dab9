"""Links in the documentation lead to files, folders and headings that are there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"(?<!\\)\]\((?P<target>[^()\s]+)(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6}\s+(?P<title>.+?)\s*$", re.MULTILINE)
ELSEWHERE = ("http://", "https://", "mailto:")


def links_in(text: str) -> list[str]:
    """Return the targets of a page's links and images, those shown as code left out."""
    return [found["target"] for found in LINK.finditer(CODE.sub("", FENCED.sub("", text)))]


def anchors_in(text: str) -> set[str]:
    """Return what GitHub lets links point at within a page: its headings, spelled as GitHub does."""
    titles = [re.sub(r"\]\([^)]*\)", "", found["title"]) for found in HEADING.finditer(FENCED.sub("", text))]
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def broken(page: Path, root: Path) -> Iterator[str]:
    """Yield the links of a page that lead nowhere, or out of the repository."""
    text = page.read_text(encoding="utf-8")
    for link in links_in(text):
        if link.startswith(ELSEWHERE):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or not target.is_relative_to(root):
            yield f"{page.name}: {link} is not there"
        elif anchor and anchor not in anchors_in(target.read_text(encoding="utf-8")):
            yield f"{page.name}: {link} is no heading of {target.name}"


def test_links_lead_somewhere(tracked_files: list[Path], root: Path) -> None:
    pages = [path for path in tracked_files if path.suffix == ".md"]
    assert len(pages) > 10
    assert [found for page in pages for found in broken(page, root)] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see [it](there.md)", []),
        ("see [it](there.md#a-heading-with-more)", []),
        ("![drawn](there.md 'title')", []),
        ('[it](there.md "title")', []),
        ("[it](https://example.com/gone)", []),
        ("```\n[it](gone.md)\n```\n`[it](gone.md)`", []),
        ("# Own\n[it](#own)", []),
        ("see [it](gone.md)", ["page.md: gone.md is not there"]),
        ("![drawn](gone.svg)", ["page.md: gone.svg is not there"]),
        ("[a](gone.md) and [b](there.md)", ["page.md: gone.md is not there"]),
        ("[it](there.md#gone)", ["page.md: there.md#gone is no heading of there.md"]),
        ("# Own\n[it](#other)", ["page.md: #other is no heading of page.md"]),
        ("[it](../outside.md)", ["page.md: ../outside.md is not there"]),
    ],
)
def test_a_broken_link_is_found(tmp_path: Path, text: str, found: list[str]) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    (tmp_path / "outside.md").write_text("outside")
    (root / "there.md").write_text("# There\n## A heading: `with`, (more)\n")
    page = root / "page.md"
    page.write_text(text)
    assert list(broken(page, root)) == found
