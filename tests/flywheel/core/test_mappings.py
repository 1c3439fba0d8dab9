"""A mapping says where things are in records; what it cannot mean is refused when settings are read."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from flywheel.core.errors import BadSetting
from flywheel.core.mappings import Mapping
from flywheel.core.settings import Settings


@pytest.mark.parametrize(
    ("place", "compiled"),
    [
        ("question", '$."question"'),
        ("Directly Usable", '$."Directly Usable"'),
        ("$.a[0].b", "$.a[0].b"),
        ('$."6b".text', '$."6b".text'),
        ("$.log[#-1].content", "$.log[#-1].content"),
        ("=gpt-4o", "=gpt-4o"),
    ],
)
def test_a_place_is_a_column_a_path_or_a_constant(place: str, compiled: str) -> None:
    mapping = Mapping(files="*", input="q", started_at="t", model=place)
    assert mapping.compiled("m")["calls"][0]["model"] == compiled


@pytest.mark.parametrize("place", ["$.a[", "$a", "$.6b", "$..b", "$.a[*]", '"a"'])
def test_what_is_no_place_is_refused_with_the_settings_name(place: str) -> None:
    with pytest.raises(BadSetting, match=r"'mappings\.chats\.output' is .*expected a (JSON path|column)"):
        Mapping(files="*", input="q", started_at="t", output=place).compiled("chats")


def test_a_call_says_only_what_differs() -> None:
    mapping = Mapping.model_validate(
        {"files": "*", "input": "q", "started_at": "t", "calls": [{"model": "=a"}, {"model": "=b", "input": "r"}]}
    )
    calls = mapping.compiled("m")["calls"]
    assert [(call["model"], call["input"], call["started_at"]) for call in calls] == [
        ("=a", '$."q"', '$."t"'),
        ("=b", '$."r"', '$."t"'),
    ]


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"files": "*"}, "expected `input`, `run` or `feedback`"),
        ({"files": "*", "input": "q"}, "expected `started_at`, or `undated_at`"),
        ({"files": "*", "input": "q", "started_at": "t", "modle": "x"}, "modle"),
    ],
)
def test_a_mapping_that_maps_nothing_is_refused(fields: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Mapping.model_validate(fields)


def test_mappings_come_from_flywheel_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "flywheel.toml").write_text(
        '[mappings.chats]\nfiles = "*.csv"\ninput = "q"\nstarted_at = "$.at"\n'
        'feedback = [{ kind = "thumb", value = "vote" }]\n'
    )
    monkeypatch.chdir(tmp_path)
    (call,) = Settings().mappings["chats"].compiled("chats")["calls"]
    assert call["feedback"][0] | {"kind": "=thumb", "value": '$."vote"'} == call["feedback"][0]


def test_a_wrong_path_or_name_or_time_stops_when_settings_are_read() -> None:
    bad = Mapping(files="*", input="$.a[", started_at="t")
    with pytest.raises(BadSetting, match=r"mappings\.chats\.input"):
        Settings(mappings={"chats": bad})
    with pytest.raises(BadSetting, match="a name of small letters"):
        Settings(mappings={"My chats": Mapping(files="*", input="q", started_at="t")})
    with pytest.raises(BadSetting, match="'undated_at' is 'never'"):
        Settings(undated_at="never")
