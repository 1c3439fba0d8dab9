"""Identities depend on content and nothing else."""

import subprocess
import sys

import pytest

from flywheel.core.ids import content_id, rows_hash, sha256_of


def test_same_parts_have_one_id_in_every_process() -> None:
    there = subprocess.run(
        [sys.executable, "-c", "from flywheel.core.ids import content_id; print(content_id('a', 1, None))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert there == content_id("a", 1, None)
    assert len(there) == 32


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (("a", "b"), ("b", "a")),
        (("a",), ("a", "")),
        (("a",), ("A",)),
        (("é",), ("e\u0301",)),
    ],
)
def test_order_and_boundaries_matter(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert content_id(*one) != content_id(*other)


def test_text_that_is_not_unicode_has_an_id() -> None:
    assert content_id("\ud800") != content_id("\ud801")


def test_sha256_is_the_one_every_tool_prints() -> None:
    assert sha256_of(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_rows_hash_ignores_column_order_but_not_row_order() -> None:
    first, second = {"a": 1, "b": "x"}, {"a": 2, "b": "y"}
    assert rows_hash([first, second]) == rows_hash([{"b": "x", "a": 1}, second])
    assert rows_hash([first, second]) != rows_hash([second, first])
    assert rows_hash([first]) != rows_hash([{"a": 1, "b": "x", "c": None}])
    assert rows_hash([{"a": "1"}]) != rows_hash([{"a": 1}])
