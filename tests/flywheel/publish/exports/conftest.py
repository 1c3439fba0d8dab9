"""A release with tool calls, several turns, labels, numbers and sentences, and a maker of exports of it."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flywheel.core.records import Split
from flywheel.publish.exports.filters import Filters
from flywheel.publish.exports.formats import find_format
from flywheel.publish.exports.tokens import ByteCounter
from flywheel.publish.exports.write import Plan, write_export

if TYPE_CHECKING:
    from tests.flywheel.publish.conftest import Desk

TOOLS = [
    {"type": "function", "function": {"name": name, "description": name, "parameters": {}}} for name in ("a", "b")
]
CHOSEN = ("card_lost", "17", "I have sent the card to your new address today.", '{"city": "Bonn"}')


def conversation(number: int) -> list[dict[str, Any]]:
    """Return two turns; every third calls a tool, each with arguments of its own."""
    talk: list[dict[str, Any]] = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": f"question {number * 7919:x}"},
    ]
    if number % 3:
        return [*talk, {"role": "assistant", "content": "which?"}, {"role": "user", "content": "this ☂"}]
    call = {"id": f"c{number}", "name": "ab"[number % 2], "arguments": {"xy"[number % 2]: number}}
    return [
        *talk,
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "found", "tool_call_id": call["id"], "name": call["name"]},
    ]


@pytest.fixture(scope="session")
def tools_desk(
    tmp_path_factory: pytest.TempPathFactory, desk_in: Callable[[Path], AbstractContextManager["Desk"]]
) -> Iterator["Desk"]:
    """Open a desk that published forty corrections."""
    with desk_in(tmp_path_factory.mktemp("tools")) as desk:
        for number in range(40):
            desk.correct([number], input=json.dumps(conversation(number)), chosen=CHOSEN[number % 4])
        desk.released()
        yield desk


@pytest.fixture
def export(tools_desk: "Desk", tmp_path: Path) -> Callable[..., tuple[Path, dict[str, Any]]]:
    """Return what writes that release in a format and returns the folder and the report."""
    from flywheel.core.releases import find_release

    def write(name: str, *splits: Split, out: str = "out", is_forced: bool = False, **plan: Any) -> Any:
        form = find_format(name)
        given = {"filters": Filters(), "counter": ByteCounter(), "tools": TOOLS, "base_model": "org/model"} | plan
        chosen = Plan(form, splits or (Split.TRAIN,), **given)
        release = find_release(tools_desk.store, "corrections", "latest")
        folder = tmp_path / out
        return folder, write_export(tools_desk.store, release, chosen, folder, is_forced=is_forced)

    return write
