import json
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest
from openai import APIConnectionError, InternalServerError, OpenAI, RateLimitError

from flywheel.llm.local.server import LocalProvider


class Switchboard:
    def __init__(self, root: str) -> None:
        self._address = root.removeprefix("http://")

    def set(self, **faults: object) -> dict[str, Any]:
        return self._call("POST", "/_faults", json.dumps(faults))

    def shown(self) -> dict[str, Any]:
        return self._call("GET", "/_faults")

    def count(self) -> dict[str, Any]:
        return self._call("GET", "/_count")

    def _call(self, method: str, path: str, body: str | None = None) -> dict[str, Any]:
        with closing(HTTPConnection(self._address)) as connection:
            connection.request(method, path, body)
            return json.loads(connection.getresponse().read())


@pytest.fixture
def switches(provider: LocalProvider) -> Iterator[Switchboard]:
    board = Switchboard(provider.root_url)
    yield board
    board.set()


def ask(client: OpenAI, **settings: object) -> str | None:
    question = [{"role": "user", "content": "one of: yes, no\nyes"}]
    reply = client.chat.completions.create(model="wheel-small", messages=question, temperature=0, **settings)
    return reply.choices[0].message.content


def test_a_rate_limit_reaches_the_client(client: OpenAI, switches: Switchboard) -> None:
    switches.set(rate_limit={"next": 1, "retry_after_seconds": 7})
    with pytest.raises(RateLimitError) as caught:
        ask(client)
    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.code == "rate_limit_exceeded"
    assert ask(client) == "yes"


def test_the_client_waits_as_long_as_it_is_told(client: OpenAI, switches: Switchboard) -> None:
    switches.set(rate_limit={"next": 1, "retry_after_seconds": 1.2})
    start = time.monotonic()
    assert ask(client.with_options(max_retries=1)) == "yes"
    assert 1.2 <= time.monotonic() - start < 5


def test_a_server_error_is_retried(client: OpenAI, switches: Switchboard) -> None:
    switches.set(server_error={"next": 2, "status": 503})
    with pytest.raises(InternalServerError) as caught:
        ask(client)
    assert caught.value.status_code == 503
    assert ask(client.with_options(max_retries=1)) == "yes"


def test_a_cut_body_is_a_lost_connection(client: OpenAI, switches: Switchboard) -> None:
    switches.set(truncated={"next": 2})
    with pytest.raises(APIConnectionError):
        ask(client)
    assert ask(client.with_options(max_retries=1)) == "yes"


def test_a_garbled_body_is_not_json(client: OpenAI, switches: Switchboard) -> None:
    switches.set(malformed={"next": 1})
    with pytest.raises(json.JSONDecodeError):
        ask(client)
    assert ask(client) == "yes"


def test_an_answer_may_have_another_schema(client: OpenAI, switches: Switchboard) -> None:
    switches.set(wrong_json={"next": 1})
    assert [ask(client), ask(client)] == ['{"unexpected": {"schema": true}}', "yes"]


def test_an_answer_may_come_late(client: OpenAI, switches: Switchboard) -> None:
    switches.set(latency={"ms": 300, "next": 1})
    start = time.monotonic()
    ask(client)
    assert time.monotonic() - start >= 0.3


def test_a_request_brings_its_own_fault(client: OpenAI, switches: Switchboard) -> None:
    with pytest.raises(InternalServerError) as caught:
        ask(client, extra_headers={"x-flywheel-fault": '{"server_error": {"status": 502}}'})
    assert caught.value.status_code == 502
    assert ask(client) == "yes"


def test_the_switches_can_be_read(switches: Switchboard) -> None:
    switches.set(rate_limit={"probability": 0.25, "seed": 3})
    shown = switches.shown()["rate_limit"]
    assert (shown["probability"], shown["seed"], shown["left"]) == (0.25, 3, None)


def test_what_was_served_is_counted(client: OpenAI, switches: Switchboard) -> None:
    def counts() -> tuple[dict[str, int], dict[str, int], int]:
        count = switches.count()
        empty = {"requests": 0, "prompt_tokens": 0, "completion_tokens": 0}
        read, lost = (count[part].get("wheel-neighbour", empty) for part in ("models", "unreadable"))
        return read, lost, count["faults"].get("server_error", 0)

    asked = client.with_options(max_retries=0).chat.completions
    question = {"model": "wheel-neighbour", "messages": [{"role": "user", "content": "where is my card?"}]}
    read, lost, errors = counts()
    used = [asked.create(**question).usage for _ in range(2)]
    switches.set(server_error={"next": 1}, malformed={"next": 2})
    for expected in (InternalServerError, json.JSONDecodeError):
        with pytest.raises(expected):
            asked.create(**question)
    now_read, now_lost, now_errors = counts()
    assert now_read["requests"] - read["requests"] == 2
    assert now_read["prompt_tokens"] - read["prompt_tokens"] == sum(usage.prompt_tokens for usage in used) == 16
    assert now_read["completion_tokens"] - read["completion_tokens"] == 10
    assert now_lost["requests"] - lost["requests"] == 1
    assert now_errors - errors == 1
