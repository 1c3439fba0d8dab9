from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from flywheel.core.records import Message
from flywheel.core.settings import Settings
from flywheel.llm.client import Ask
from flywheel.llm.connect import connected

ASK = Ask("wheel-small", (Message("system", "Say one of: yes, no."), Message("user", "no")), "correct")


def test_without_a_url_a_local_provider_lives_as_long_as_the_block(settings: Settings) -> None:
    with connected(settings) as provider:
        assert [reply.content for reply in provider.ask_all([ASK]).replies] == ["no"]
        place = urlsplit(provider.base_url).netloc
    connection = HTTPConnection(place, timeout=2)
    with pytest.raises(ConnectionRefusedError):
        connection.request("GET", "/health")
    assert (Path(settings.lake) / "ledger.sqlite").exists()


def test_the_named_provider_is_asked_with_the_key(settings: Settings, scripted: Any) -> None:
    named = settings.model_copy(
        update={
            "llm_base_url": scripted.base_url,
            "llm_api_key": SecretStr("k-1"),
            "control": Path(settings.lake) / "c",
        }
    )
    with connected(named) as provider:
        assert list(provider.cards()) == ["m"]
    assert scripted.keys == ["Bearer k-1"]
    assert (Path(settings.lake) / "c" / "ledger.sqlite").exists()
    assert not (Path(settings.lake) / "c" / "local-models").exists()


def test_what_one_connection_paid_the_next_one_knows(settings: Settings, scripted: Any) -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 1}
    scripted.says("/v1/chat/completions", {"choices": [{"message": {"content": "no"}}], "usage": usage})
    named = settings.model_copy(update={"llm_base_url": scripted.base_url})
    for _ in range(2):
        with connected(named) as provider:
            (reply,) = provider.ask_all([ASK]).replies
    assert (reply.content, reply.was_cached) == ("no", True)
