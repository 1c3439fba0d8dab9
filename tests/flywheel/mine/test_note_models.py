"""Models that write notes, name and embed: what they may say, and what stands when they do not."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from flywheel.core.errors import UsageError
from flywheel.core.lake import Lake
from flywheel.llm.client import Provider
from flywheel.llm.ledger import Ledger
from flywheel.llm.local.catalogue import EMBEDDING_MODEL
from flywheel.llm.local.server import LocalProvider
from flywheel.llm.vectors import embed_texts
from flywheel.mine.named import name_modes
from flywheel.mine.note_models import UNPARSED, NoteModels, checked

DAY = date(2026, 1, 5)


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with Ledger(tmp_path / "ledger.sqlite") as ledger, LocalProvider(tmp_path / "models") as local:
        yield Provider(local.base_url, "none", ledger, tries=1)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"note": " wrong queue "}', "wrong queue"),
        (None, None),
        ("wrong queue", None),
        ("[" * 100_000, None),
        ('{"note": "x"}', None),
        ('{"note": "two\\nlines"}', None),
        ('{"note": "<b>bold</b>"}', None),
        ('{"note": "see https://evil.example"}', None),
        ('{"note": "turn \\u202e around"}', None),
        ('{"note": 7}', None),
        ('{"name": "other key"}', None),
        ('{"note": "one", "tool": "more"}', None),
        (json.dumps({"note": "long " * 100}), None),
    ],
)
def test_a_reply_is_one_short_line_or_nothing(content: str | None, expected: str | None) -> None:
    assert checked(content, "note", 300) == expected


def test_a_reply_that_is_no_note_is_unparsed_and_the_evidence_stands(provider: Provider) -> None:
    notes = pl.DataFrame({"note": ["answer: refund"]})
    found = NoteModels(provider, note_model="wheel-small", left=lambda: 1.0).noted(notes)
    assert found.rows() == [("answer: refund", UNPARSED)]
    assert NoteModels().noted(notes).rows() == [("answer: refund", "evidence")]


def test_without_budget_nothing_is_asked_and_the_evidence_stands(provider: Provider) -> None:
    notes = pl.DataFrame({"note": ["answer: refund"]})
    assert NoteModels(provider, "wheel-small", left=lambda: -1.0).noted(notes).rows() == [
        ("answer: refund", "evidence")
    ]


def test_modes_are_found_in_the_space_of_an_embedding_model(
    provider: Provider, memory: Lake, land: Callable[..., int]
) -> None:
    for number, answer in enumerate(["card_lost"] * 5 + ["exchange_rate"] * 5):
        key = {"day": DAY, "trace_id": f"t{number}"}
        land("traces", [key | {"output": answer, "query": "please help"}])
        land("failures", [key | {"p_failure": 0.9, "signals": ["thumbs_down"]}])
    assert name_modes(memory, DAY, models=NoteModels(provider, "", EMBEDDING_MODEL, lambda: 1.0)) == 2
    assert memory.frame("select distinct space_id from failure_modes").rows() == [(f"embedding:{EMBEDDING_MODEL}",)]


def test_notes_that_used_the_budget_up_leave_the_fitted_space(
    provider: Provider, memory: Lake, land: Callable[..., int]
) -> None:
    for number in range(6):
        land("traces", [{"day": DAY, "trace_id": f"t{number}", "output": "card_lost", "query": "please help"}])
        land("failures", [{"day": DAY, "trace_id": f"t{number}", "p_failure": 0.9, "signals": ["thumbs_down"]}])
    models = NoteModels(provider, "wheel-small", EMBEDDING_MODEL, lambda: -1.0)
    assert name_modes(memory, DAY, models=models) == 1
    assert memory.frame("select distinct space_id from failure_modes").rows() == [("hashed",)]


def test_modes_whose_move_costs_more_than_is_left_take_no_members(
    provider: Provider, memory: Lake, land: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    for day, answer in ((DAY, "card_lost"), (date(2026, 1, 6), "exchange_rate")):
        for number in range(6):
            key = {"day": day, "trace_id": f"{answer}-{number}"}
            land("traces", [key | {"output": answer, "query": "please help"}])
            land("failures", [key | {"p_failure": 0.9, "signals": ["thumbs_down"]}])
    assert name_modes(memory, DAY) == 1
    left = iter([1.0])
    models = NoteModels(provider, "", EMBEDDING_MODEL, lambda: next(left, -1.0))
    assert name_modes(memory, date(2026, 1, 6), models=models) == 1
    assert "1 modes take no members on 2026-01-06" in caplog.text


def test_what_notes_spend_names_do_not_have(provider: Provider) -> None:
    asked: list[float] = []
    models = NoteModels(provider, "wheel-small", left=lambda: asked.append(1.0) or 1.0)  # type: ignore[func-returns-value]
    models.noted(pl.DataFrame({"note": ["answer: refund"]}))
    models.names({"m": ["answer: refund"]})
    assert len(asked) == 2


def test_a_text_is_embedded_and_paid_once(provider: Provider) -> None:
    first = embed_texts(provider, EMBEDDING_MODEL, ["lost card", "lost card", "rate"], 1.0)
    assert first[0] == pytest.approx(first[1])
    calls = provider.ledger.rows().height
    assert embed_texts(provider, EMBEDDING_MODEL, ["rate", "lost card"], 1.0)[1] == pytest.approx(first[0])
    assert provider.ledger.rows().height == calls == 1


def test_an_unknown_embedding_model_is_a_wrong_call(provider: Provider) -> None:
    with pytest.raises(UsageError, match="nobody"):
        embed_texts(provider, "nobody", ["text"], 1.0)
