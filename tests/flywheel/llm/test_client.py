import math
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from openai import OpenAI

from flywheel.core.errors import UsageError
from flywheel.core.records import Message
from flywheel.llm.client import Ask, Provider
from flywheel.llm.ledger import Ledger
from flywheel.llm.local.server import LocalProvider

Served = Callable[[], dict[str, dict[str, int]]]
RULE = Message("system", "Say one of: card_lost, refund, exchange_rate.")


def ask(text: str, model: str = "wheel-small", example_id: str | None = None, purpose: str = "correct") -> Ask:
    return Ask(model, (RULE, Message("user", text)), purpose, example_id)


def many(count: int, model: str = "wheel-large") -> list[Ask]:
    return [ask(f"where is refund number {number}", model, f"e{number}") for number in range(count)]


def test_replies_come_in_the_order_of_the_questions(door: Provider) -> None:
    topics = ["refund", "card_lost", "exchange_rate"] * 20
    asked = door.ask_all([ask(f"{topic} please, case {number}") for number, topic in enumerate(topics)])
    assert [reply.content for reply in asked.replies] == topics
    assert [reply.ask.messages[1].content for reply in asked.replies][7] == "card_lost please, case 7"
    assert asked.unasked_count == 0


def test_a_call_costs_its_tokens_at_the_providers_prices(door: Provider, served: Served) -> None:
    (reply,) = door.ask_all([ask("where is my refund", "wheel-large")]).replies
    counted = served()["wheel-large"]
    assert counted["requests"] == 1
    price = (counted["prompt_tokens"] * 2.50 + counted["completion_tokens"] * 10.00) / 1e6
    assert reply.cost_usd == pytest.approx(price)
    assert door.ledger.spent_usd() == pytest.approx(price)


def test_prices_and_families_come_from_the_list_of_models(door: Provider) -> None:
    cards = door.cards()
    assert {
        name: (card.family, card.price_in, card.price_out) for name, card in cards.items() if ":" not in name
    } == {
        "wheel-small": ("linear", 0.15, 0.60),
        "wheel-large": ("ngram", 2.50, 10.00),
        "wheel-neighbour": ("neighbour", 0.50, 1.50),
        "wheel-embed": ("embedding", 0.02, 0.0),
    }
    assert door.family_of("wheel-large") == "ngram"
    assert door.family_of("nobody-knows") == "nobody-knows"


def test_the_ledger_holds_what_the_provider_counted(door: Provider, served: Served) -> None:
    door.ask_all(many(300) + many(40, "wheel-small"))
    held = door.ledger.rows().group_by("model").agg(pl.sum("input_tokens"), pl.sum("output_tokens"), pl.len())
    found = {
        model: {"requests": count, "prompt_tokens": tokens_in, "completion_tokens": tokens_out}
        for model, tokens_in, tokens_out, count in held.iter_rows()
    }
    assert found == served()
    assert found["wheel-large"]["requests"] == 300


def test_a_line_says_what_the_call_was_for(door: Provider) -> None:
    door.ask_all([ask("refund", example_id="e1", purpose="evaluate")])
    (row,) = door.ledger.rows().to_dicts()
    assert (row["model"], row["purpose"], row["example_id"]) == ("wheel-small", "evaluate", "e1")
    assert len(row["call_id"]) == 32


def test_an_answer_is_paid_once_whoever_asks_again(door: Provider, served: Served) -> None:
    first = door.ask_all([ask("my refund", example_id="e1")]).replies[0]
    again = door.ask_all([ask("my refund", example_id="e2", purpose="evaluate")])
    (reply,) = again.replies
    assert (reply.content, reply.confidence) == (first.content, first.confidence)
    assert (reply.cost_usd, reply.was_cached, first.was_cached, again.spent_usd) == (0.0, True, False, 0.0)
    assert (door.ledger.rows().height, served()["wheel-small"]["requests"]) == (1, 1)


def test_the_same_question_twice_in_one_go_is_paid_once(door: Provider, served: Served) -> None:
    replies = door.ask_all([ask("my refund", example_id=f"e{number}") for number in range(5)]).replies
    assert [reply.was_cached for reply in replies] == [False, True, True, True, True]
    assert [reply.ask.example_id for reply in replies] == ["e0", "e1", "e2", "e3", "e4"]
    assert len({(reply.content, reply.confidence) for reply in replies}) == 1
    assert served()["wheel-small"]["requests"] == 1


@pytest.mark.parametrize(
    "other",
    [
        ask("my refund", "wheel-large"),
        ask("my refund!"),
        Ask("wheel-small", (Message("user", "my refund"),), "correct"),
        Ask("wheel-small", (Message("user", RULE.content), Message("user", "my refund")), "correct"),
    ],
    ids=["model", "text", "messages", "role"],
)
def test_another_request_is_another_answer(other: Ask) -> None:
    assert other.request_hash != ask("my refund").request_hash


def test_a_rerun_after_a_crash_pays_nothing_twice(provider: LocalProvider, tmp_path: Path, served: Served) -> None:
    for _ in range(2):
        with Ledger(tmp_path / "kept.sqlite") as ledger:
            asked = Provider(provider.base_url, "none", ledger).ask_all(many(20))
            assert len(asked.replies) == 20
    assert asked.spent_usd == 0.0
    assert served()["wheel-large"]["requests"] == 20


# an answer of wheel-large may cost 0.0207 USD here and does cost about 0.0001
@pytest.mark.parametrize("budget_usd", [0.0208, 0.0212, 0.0215])
def test_a_budget_is_a_hard_stop_with_work_kept(door: Provider, served: Served, budget_usd: float) -> None:
    asked = door.ask_all(many(100), budget_usd)
    assert 0 < len(asked.replies) < 100
    assert asked.unasked_count == 100 - len(asked.replies)
    assert asked.spent_usd == pytest.approx(door.ledger.spent_usd())
    assert 0 < asked.spent_usd <= budget_usd
    assert [reply.ask.example_id for reply in asked.replies] == [f"e{n}" for n in range(len(asked.replies))]
    assert served()["wheel-large"]["requests"] == len(asked.replies) == door.ledger.rows().height


def test_the_next_run_goes_on_where_the_budget_stopped(door: Provider, served: Served) -> None:
    first = len(door.ask_all(many(100), 0.021).replies)
    second = door.ask_all(many(100), 0.021)
    assert len(second.replies) > first
    assert sum(reply.was_cached for reply in second.replies) == first
    assert served()["wheel-large"]["requests"] == len(second.replies)


@pytest.mark.parametrize("budget_usd", [0.0, 1e-9, 0.02])
def test_a_budget_below_one_answer_asks_nothing(door: Provider, served: Served, budget_usd: float) -> None:
    asked = door.ask_all(many(3), budget_usd)
    assert (asked.replies, asked.unasked_count, asked.spent_usd) == ((), 3, 0.0)
    assert served() == {}


def test_what_was_paid_needs_no_budget(door: Provider) -> None:
    door.ask_all(many(30))
    asked = door.ask_all(many(30), budget_usd=0.0)
    assert (len(asked.replies), asked.unasked_count) == (30, 0)


def test_a_larger_round_does_not_need_a_larger_budget(door: Provider) -> None:
    asked = door.ask_all(many(300), budget_usd=0.5)
    assert len(asked.replies) == 300


def test_an_unknown_model_is_said_by_name_and_the_others_work_is_kept(door: Provider, served: Served) -> None:
    with pytest.raises(UsageError, match="'wheel-huge'"):
        door.ask_all([*many(10), ask("refund", "wheel-huge")])
    assert (door.ledger.rows().height, served()["wheel-large"]["requests"]) == (10, 10)


def test_confidence_is_the_product_of_the_tokens_probabilities(door: Provider, client: OpenAI) -> None:
    asked = ask("did somebody find my purse", "wheel-small")
    (reply,) = door.ask_all([asked]).replies
    spoken = [{"role": message.role, "content": message.content} for message in asked.messages]
    raw = client.chat.completions.create(model=asked.model, messages=spoken, temperature=0, logprobs=True)
    tokens = raw.choices[0].logprobs.content
    assert len(tokens) > 1
    assert reply.confidence == pytest.approx(math.prod(math.exp(token.logprob) for token in tokens))
    assert 0 < reply.confidence < 1


def test_asking_nothing_is_no_trouble(door: Provider) -> None:
    asked = door.ask_all([])
    assert (asked.replies, asked.unasked_count, asked.spent_usd) == ((), 0, 0.0)
