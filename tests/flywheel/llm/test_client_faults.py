"""The provider fails in the ways that providers fail; nothing that was paid is lost, and no bare error comes out."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from flywheel.core.errors import ProviderBusy
from flywheel.core.records import Message
from flywheel.llm.client import Ask, Provider
from flywheel.llm.ledger import Ledger

Served = Callable[[], dict[str, dict[str, int]]]
Faults = Callable[..., None]
CHAT = "/v1/chat"


def many(count: int, start: int = 0) -> list[Ask]:
    return [
        Ask("wheel-small", (Message("system", "Say one of: yes, no."), Message("user", f"is it {number}")), "correct")
        for number in range(start, start + count)
    ]


def test_a_rate_limit_is_waited_out_as_long_as_it_asks(door: Provider, faults: Faults, served: Served) -> None:
    faults(rate_limit={"next": 5, "path": CHAT, "retry_after_seconds": 0.7})
    began = time.monotonic()
    assert len(door.ask_all(many(20)).replies) == 20
    assert 0.7 <= time.monotonic() - began < 5
    assert served()["wheel-small"]["requests"] == door.ledger.rows().height == 20


SURVIVED: dict[str, dict[str, Any]] = {
    "server_error": {"next": 2, "status": 503},
    "truncated": {"next": 2},
    "malformed": {"next": 2},
}


@pytest.mark.parametrize("kind", SURVIVED)
def test_a_fault_that_passes_is_survived(door: Provider, faults: Faults, served: Served, kind: str) -> None:
    faults(**{kind: {"path": CHAT, **SURVIVED[kind]}})
    asked = door.ask_all(many(10, start=100))
    assert [reply.content in {"yes", "no"} for reply in asked.replies] == [True] * 10
    assert served()["wheel-small"]["requests"] == door.ledger.rows().height == 10


STAYING: dict[str, dict[str, Any]] = {
    "rate_limit": {"retry_after_seconds": 0.01},
    "server_error": {"status": 500},
    "truncated": {},
    "malformed": {},
}


@pytest.mark.parametrize("path", [CHAT, "/v1/models"])
@pytest.mark.parametrize("kind", STAYING)
def test_a_fault_that_stays_is_a_busy_provider(
    provider: Any, ledger: Ledger, faults: Faults, kind: str, path: str
) -> None:
    faults(**{kind: {"path": path, **STAYING[kind]}})
    with pytest.raises(ProviderBusy, match="did not answer"):
        Provider(provider.base_url, "none", ledger, tries=1).ask_all(many(3))
    assert ledger.rows().height == 0


def test_one_call_that_fails_costs_no_others_their_answers(door: Provider, faults: Faults, served: Served) -> None:
    asks = many(40, start=200)
    faults(server_error={"path": CHAT, "probability": 0.6, "seed": 1})
    with pytest.raises(ProviderBusy):
        door.ask_all(asks)
    paid = door.ledger.rows().height
    assert 0 < paid < 40
    faults()
    asked = door.ask_all(asks)
    assert sum(reply.was_cached for reply in asked.replies) == paid
    assert served()["wheel-small"]["requests"] == door.ledger.rows().height == 40


def test_an_answer_of_another_shape_is_handed_on_as_it_is(door: Provider, faults: Faults) -> None:
    faults(wrong_json={"path": CHAT, "next": 1})
    (reply,) = door.ask_all(many(1, start=300)).replies
    assert reply.content == '{"unexpected": {"schema": true}}'


@pytest.mark.parametrize("act", [lambda door: door.ask_all(many(1)), lambda door: door.cards()], ids=["ask", "cards"])
def test_a_provider_that_is_not_there_is_busy(ledger: Ledger, act: Callable[[Provider], Any]) -> None:
    with pytest.raises(ProviderBusy, match="check its base_url"):
        act(Provider("http://127.0.0.1:9/v1", "none", ledger, tries=0))
