"""People, a model and a script keep one contract; what differs is how long they take and what they cost."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flywheel.core.lake import Lake
from flywheel.core.records import Answer, AuthorKind, HardExample, Message
from flywheel.core.storage import FolderStore
from flywheel.correct.correctors import Corrector, HumanQueue, ModelTeacher, ScriptedCorrector
from flywheel.correct.inbox import put_in_inbox
from flywheel.llm.client import Provider

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
Examples = Callable[..., HardExample]


@dataclass(frozen=True)
class Kind:
    """A corrector that answers `refund` to what it is asked, and how its answers look."""

    corrector: Corrector
    author_kind: AuthorKind
    depth: int


@pytest.fixture(params=["script", "people", "model"])
def kind(request: pytest.FixtureRequest, memory: Lake, tmp_path: Path) -> Kind:
    if request.param == "script":
        script = {f"where is my refund number {number}": "refund" for number in range(3)}
        return Kind(ScriptedCorrector("script", script), AuthorKind.HUMAN, 0)
    if request.param == "people":
        store = FolderStore(str(tmp_path))
        lines = [{"author": "ann", "chosen": "refund", "example_id": f"e{number}"} for number in range(3)]
        put_in_inbox(store, "\n".join(map(json.dumps, lines)).encode())
        return Kind(HumanQueue(memory, store, NOW, 0.67), AuthorKind.HUMAN, 0)
    provider: Provider = request.getfixturevalue("provider")
    return Kind(ModelTeacher(provider, "wheel-small", NOW, budget_usd=1.0), AuthorKind.AI, 1)


def identity(answer: Answer) -> tuple[str | None, str, str | None]:
    return answer.example_id, answer.corrector, answer.output


def test_every_example_is_answered_by_its_id(kind: Kind, example: Examples) -> None:
    kind.corrector.submit([example(number) for number in range(3)])
    answers = {answer.example_id: answer for answer in kind.corrector.collect()}
    assert {key: answer.output for key, answer in answers.items()} == {"e0": "refund", "e1": "refund", "e2": "refund"}
    assert {answer.author_kind for answer in answers.values()} == {kind.author_kind}
    assert {answer.generation_depth for answer in answers.values()} == {kind.depth}


def test_asking_twice_is_asking_once(kind: Kind, example: Examples) -> None:
    for _ in range(2):
        kind.corrector.submit([example(number) for number in range(3)])
    kind.corrector.submit([example(1)])
    assert sorted(answer.example_id or "" for answer in kind.corrector.collect()) == ["e0", "e1", "e2"]


def test_collecting_again_brings_the_same_answers(kind: Kind, example: Examples) -> None:
    kind.corrector.submit([example(number) for number in range(3)])
    first, second = (sorted(map(identity, kind.corrector.collect())) for _ in range(2))
    assert first == second
    assert len(first) == 3


def test_submitting_nothing_asks_nobody(kind: Kind, memory: Lake) -> None:
    kind.corrector.submit([])
    assert memory.scalar("select count(*) from review_queue") == 0
    if not isinstance(kind.corrector, HumanQueue):  # people may bring answers that nobody asked for
        assert list(kind.corrector.collect()) == []


def test_a_script_answers_only_what_it_knows(example: Examples) -> None:
    corrector = ScriptedCorrector("script", {"known": "refund"}, AuthorKind.AI)
    corrector.submit([example(1, "known"), example(2, "unknown")])
    assert [(a.example_id, a.author_kind) for a in corrector.collect()] == [("e1", AuthorKind.AI)]


def test_the_queue_shows_people_what_to_correct(memory: Lake, tmp_path: Path, example: Examples) -> None:
    queue = HumanQueue(memory, FolderStore(str(tmp_path)), NOW, 0.67)
    queue.submit([example(1)])
    HumanQueue(memory, FolderStore(str(tmp_path)), NOW.replace(hour=18), 0.67).submit([example(1)])
    (row,) = memory.frame("select * exclude (run_id) from review_queue").to_dicts()
    assert row | {"input": json.loads(row["input"])} == {
        "day": NOW.date(),
        "example_id": "e1",
        "trace_id": "t1",
        "mode_id": "m",
        "input": [
            {"role": "system", "content": "Say one of: card_lost, refund, exchange_rate."},
            {"role": "user", "content": "where is my refund number 1"},
        ],
        "query": "where is my refund number 1",
        "rejected": "card_lost",
        "reason": "hard",
        "priority": 0.75,
        "submitted_at": NOW,
    }


def test_people_have_not_answered_yet(memory: Lake, tmp_path: Path, example: Examples) -> None:
    queue = HumanQueue(memory, FolderStore(str(tmp_path)), NOW, 0.67)
    queue.submit([example(1)])
    assert list(queue.collect()) == []


def test_bad_lines_in_the_inbox_hold_nobody_up(memory: Lake, tmp_path: Path) -> None:
    store = FolderStore(str(tmp_path))
    put_in_inbox(store, b'{"author": "ann", "chosen": "x", "example_id": "e1", "answered_at": "never"}\nnonsense\n')
    put_in_inbox(store, b'{"author": "bob", "chosen": "x", "example_id": "e2"}')
    assert [answer.corrector for answer in HumanQueue(memory, store, NOW, 0.67).collect()] == ["bob"]


def test_a_teacher_says_what_it_is_and_what_it_cost(provider: Provider, example: Examples) -> None:
    teacher = ModelTeacher(provider, "wheel-large", NOW, budget_usd=1.0)
    teacher.submit([example(1)])
    (answer,) = teacher.collect()
    assert (answer.family, answer.corrector, answer.answered_at) == ("ngram", "wheel-large", NOW)
    assert 0 < (answer.confidence or 0) <= 1
    assert answer.cost_usd == pytest.approx(provider.ledger.spent_usd("correct"))
    assert answer.cost_usd > 0


def test_a_teacher_pays_for_an_answer_once(provider: Provider, example: Examples) -> None:
    teacher = ModelTeacher(provider, "wheel-large", NOW, budget_usd=1.0)
    teacher.submit([example(1), example(2)])
    list(teacher.collect())
    spent = provider.ledger.spent_usd()
    again = ModelTeacher(provider, "wheel-large", NOW, budget_usd=1.0)
    again.submit([example(1), example(2)])
    assert len(list(again.collect())) == 2
    assert provider.ledger.spent_usd() == spent


def test_a_teacher_stops_at_its_budget_with_work_kept(provider: Provider, example: Examples) -> None:
    budget_usd = 0.022  # an answer may cost 0.021 USD and does cost a few ten-thousandths
    teacher = ModelTeacher(provider, "wheel-large", NOW, budget_usd)
    examples = [example(number, f"question {number}") for number in range(64)]
    teacher.submit(examples)
    first = list(teacher.collect())
    assert 0 < len(first) < 64
    assert teacher.unasked_count == 64 - len(first)
    assert 0 < provider.ledger.spent_usd() <= budget_usd
    patient = ModelTeacher(provider, "wheel-large", NOW, 1.0)
    patient.submit(examples)
    assert (len(list(patient.collect())), patient.unasked_count) == (64, 0)


def test_a_budget_for_nothing_asks_nothing(provider: Provider, example: Examples) -> None:
    teacher = ModelTeacher(provider, "wheel-large", NOW, budget_usd=1e-9)
    teacher.submit([example(1)])
    assert (list(teacher.collect()), teacher.unasked_count) == ([], 1)
    assert provider.ledger.spent_usd() == 0


def test_a_teacher_keeps_the_product_s_instructions(provider: Provider, example: Examples) -> None:
    talk = (Message("system", "Say one of: yes, no."), Message("user", "no or what"))
    teacher = ModelTeacher(provider, "wheel-small", NOW, budget_usd=1.0)
    given = example(1)
    teacher.submit([HardExample(**{name: getattr(given, name) for name in given.__slots__} | {"input": talk})])
    assert [answer.output for answer in teacher.collect()] == ["no"]
