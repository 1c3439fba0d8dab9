"""What a server may say instead of a completion: an answer is read, or there is none; nothing crashes."""

import json
import math
from typing import Any

import pytest

from flywheel.core.errors import ProviderBusy, UsageError
from flywheel.core.records import Message
from flywheel.llm.client import MOST_TOKENS_OUT, Ask, Provider, Reply
from flywheel.llm.ledger import Ledger

CHAT = "/v1/chat/completions"
ASK = Ask("m", (Message("user", "hello"),), "correct")
PRICE = (3 * 1 + 2 * 2) / 1e6
WORST = (5 + 8 + MOST_TOKENS_OUT * 2) / 1e6  # "hello", what a message adds, and the longest answer


def choice(**changes: Any) -> dict[str, Any]:
    return {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}} | changes


def completion(**changes: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return {"id": "c1", "object": "chat.completion", "model": "m", "choices": [choice()], "usage": usage} | changes


def logprobs(content: Any) -> dict[str, Any]:
    return completion(choices=[choice(logprobs={"content": content})])


@pytest.fixture
def door(scripted: Any, ledger: Ledger) -> Provider:
    return Provider(scripted.base_url, "none", ledger, tries=0)


def answered(door: Provider) -> Reply:
    (reply,) = door.ask_all([ASK]).replies
    return reply


READ = {
    "usual": (completion(), "hi", None, PRICE),
    "half a character": (completion(choices=[choice(message={"content": "\ud83d hi"})]), "? hi", None, PRICE),
    "no id": (completion(id=None), "hi", None, PRICE),
    "no usage": (completion(usage=None), "hi", None, WORST),
    "usage is text": (completion(usage="x"), "hi", None, WORST),
    "usage without tokens": (completion(usage={"prompt_tokens": None}), "hi", None, WORST),
    "usage below zero": (completion(usage={"prompt_tokens": -5, "completion_tokens": 1}), "hi", None, WORST),
    "no choices": (completion(choices=None), None, None, PRICE),
    "empty choices": (completion(choices=[]), None, None, PRICE),
    "choices are text": (completion(choices="x"), None, None, PRICE),
    "no message": (completion(choices=[choice(message=None)]), None, None, PRICE),
    "no content": (completion(choices=[choice(message={"content": None})]), None, None, PRICE),
    "content in parts": (completion(choices=[choice(message={"content": [{"text": "hi"}]})]), None, None, PRICE),
    "cut off": (completion(choices=[choice(finish_reason="length")]), None, None, PRICE),
    "another kind of object": ({"usage": {"prompt_tokens": 3, "completion_tokens": 2}}, None, None, PRICE),
    "sure": (logprobs([{"token": "h", "logprob": 0.0}]), "hi", 1.0, PRICE),
    "two tokens": (logprobs([{"logprob": math.log(0.5)}, {"logprob": math.log(0.5)}]), "hi", 0.25, PRICE),
    "rounded above 0": (logprobs([{"logprob": 1e-9}]), "hi", 1.0, PRICE),
    "impossible": (logprobs([{"logprob": -9999.0}]), "hi", 0.0, PRICE),
    "logprob above 0": (logprobs([{"logprob": 1000.0}]), "hi", None, PRICE),
    "logprob is null": (logprobs([{"logprob": None}, {"logprob": -0.1}]), "hi", None, PRICE),
    "logprobs are text": (logprobs("xx"), "hi", None, PRICE),
    "no logprobs": (logprobs([]), "hi", None, PRICE),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_what_can_be_read_is_read_and_paid(scripted: Any, door: Provider, name: str) -> None:
    body, content, confidence, cost_usd = READ[name]
    scripted.says(CHAT, body)
    reply = answered(door)
    assert reply.content == content
    assert reply.confidence == (None if confidence is None else pytest.approx(confidence))
    assert reply.cost_usd == door.ledger.spent_usd() == pytest.approx(cost_usd)
    assert door.ledger.rows().height == 1
    again = answered(door)
    assert (again.content, again.was_cached) == (content, True)


UNREADABLE = {
    "not json": b'{"id":',
    "empty": b"",
    "html": b"<html>welcome</html>",
    "null": b"null",
    "a list": b"[1]",
    "a text": b'"hi"',
    "bad utf-8": b'{"id":"\xff"}',
    "nested": b"[" * 100_000,
}


@pytest.mark.parametrize("path", [CHAT, "/v1/models"])
@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_object_is_a_busy_provider(scripted: Any, door: Provider, name: str, path: str) -> None:
    scripted.says(CHAT, completion())
    scripted.says(path, UNREADABLE[name], kind="text/html" if name == "html" else "application/json")
    with pytest.raises(ProviderBusy):
        answered(door)
    assert door.ledger.rows().height == 0


REFUSED = {
    400: UsageError,
    401: UsageError,
    403: UsageError,
    404: UsageError,
    408: ProviderBusy,
    409: ProviderBusy,
    413: UsageError,
    422: UsageError,
    429: ProviderBusy,
    500: ProviderBusy,
    503: ProviderBusy,
    529: ProviderBusy,
}


@pytest.mark.parametrize("status", REFUSED)
def test_the_status_says_whether_trying_again_helps(scripted: Any, door: Provider, status: int) -> None:
    scripted.says(CHAT, {"error": {"message": "because"}}, status)
    with pytest.raises(REFUSED[status], match=f"{status}"):
        answered(door)


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_is_not_worth_another_try(scripted: Any, door: Provider, status: int) -> None:
    scripted.says("/v1/models", {"error": {"message": "bad key"}}, status)
    with pytest.raises(UsageError, match="llm_api_key"):
        door.cards()


def test_a_server_that_lists_no_models_is_asked_all_the_same(scripted: Any, door: Provider) -> None:
    scripted.says("/v1/models", {"error": "not found"}, 404)
    scripted.says(CHAT, completion())
    reply = answered(door)
    assert (reply.content, reply.cost_usd) == ("hi", 0.0)


LISTS = [
    ({"data": None}, {}),
    ({"data": ["x", {"name": "no id"}, {"id": 5}]}, {}),
    ({"data": [{"id": "gpt-5"}]}, {"gpt-5": ("gpt", 0.0, 0.0)}),
    ({"data": [{"id": "m", "family": "f", "price_in_usd_per_million": "0.5"}]}, {"m": ("f", 0.0, 0.0)}),
    ({"data": [{"id": "m", "price_in_usd_per_million": -1, "price_out_usd_per_million": 2}]}, {"m": ("m", 0.0, 2.0)}),
]


@pytest.mark.parametrize(("listed", "expected"), LISTS)
def test_a_list_of_models_is_read_as_far_as_it_goes(
    scripted: Any, door: Provider, listed: Any, expected: dict[str, tuple[str, float, float]]
) -> None:
    scripted.says("/v1/models", listed)
    assert {name: (card.family, card.price_in, card.price_out) for name, card in door.cards().items()} == expected


def test_a_list_without_data_is_no_list(scripted: Any, door: Provider) -> None:
    scripted.says("/v1/models", {"detail": "welcome"})
    with pytest.raises(ProviderBusy, match="its list of models is"):
        door.cards()


def test_a_request_bounds_what_it_can_cost(scripted: Any, door: Provider) -> None:
    scripted.says(CHAT, completion())
    answered(door)
    sent = json.loads(next(body for path, body in scripted.asked if path == CHAT))
    assert (sent["max_completion_tokens"], sent["temperature"], sent["logprobs"]) == (MOST_TOKENS_OUT, 0, True)


def test_the_longest_answer_of_a_script_without_spaces_stays_in_budget(scripted: Any, door: Provider) -> None:
    # three bytes and three tokens a character is the worst a byte-pair encoding does
    spoken = "語" * 1000
    scripted.says(CHAT, completion(usage={"prompt_tokens": 3008, "completion_tokens": MOST_TOKENS_OUT}))
    asks = [Ask("m", (Message("user", f"{spoken}{number}"),), "correct") for number in range(20)]
    asked = door.ask_all(asks, budget_usd=0.05)
    assert 0 < len(asked.replies) < 20
    assert door.ledger.spent_usd() <= 0.05
