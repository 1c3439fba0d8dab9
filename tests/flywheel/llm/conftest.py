"""A running local provider, our door to it and a real client for it, a server that says what it is told, intents."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob

from flywheel.llm.client import Provider
from flywheel.llm.ledger import Ledger
from flywheel.llm.local.server import LocalProvider

TAUGHT = {
    "card_lost": (
        "I lost my card yesterday",
        "my card is missing",
        "I cannot find my debit card anywhere",
        "someone took my card, it was stolen",
        "my wallet with the card was stolen",
        "I think I left my card in a shop and now it is lost",
    ),
    "refund": (
        "I want my money back for this order",
        "please refund the purchase",
        "how do I get a refund",
        "the shop owes me a refund for a returned item",
        "give me the money back, I returned the shoes",
        "refund has not arrived after the return",
    ),
    "exchange_rate": (
        "what is the exchange rate for euros",
        "which rate do you use to convert dollars",
        "the conversion rate looks wrong",
        "how much is a pound in euros today",
        "is the rate of exchange updated daily",
        "convert my dollars at what rate",
    ),
    "close_account": (
        "please close my account",
        "I want to delete my account for good",
        "how can I terminate the account",
        "cancel my account, I am leaving the bank",
        "I no longer want an account with you",
        "remove my profile and account",
    ),
}
UNSEEN = (
    ("help, the card got lost on the train", "card_lost"),
    ("a thief has stolen my debit card", "card_lost"),
    ("when will I get the refund for my return", "refund"),
    ("I would like the purchase money back", "refund"),
    ("tell me the euro exchange rate today", "exchange_rate"),
    ("rate to convert pounds to dollars", "exchange_rate"),
    ("I am leaving, delete the account", "close_account"),
    ("terminate my account with this bank please", "close_account"),
)


def chat_line(text: str, answer: str, **extra: object) -> str:
    turns = [("system", "Route the message."), ("user", text), ("assistant", answer)]
    return json.dumps({"messages": [{"role": role, "content": content} for role, content in turns], **extra})


@pytest.fixture(scope="session")
def intents() -> bytes:
    lines = [chat_line(text, intent) for intent, texts in TAUGHT.items() for text in texts]
    return "\n".join(lines).encode()


@pytest.fixture(scope="session")
def unseen() -> tuple[tuple[str, str], ...]:
    return UNSEEN


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProvider]:
    with LocalProvider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture(scope="session")
def client(provider: LocalProvider) -> Iterator[OpenAI]:
    with OpenAI(base_url=provider.base_url, api_key="none", max_retries=0) as opened:
        yield opened


FineTune = Callable[..., FineTuningJob]


@pytest.fixture(scope="session")
def fine_tune() -> FineTune:
    def train(client: OpenAI, content: bytes, **settings: object) -> FineTuningJob:
        uploaded = client.files.create(file=("train.jsonl", content), purpose="fine-tune")
        job = client.fine_tuning.jobs.create(training_file=uploaded.id, **settings)
        return wait(client, job.id)

    return train


def wait(client: OpenAI, job_id: str, until: tuple[str, ...] = ("succeeded", "failed", "cancelled")) -> FineTuningJob:
    for _ in range(1500):
        job = client.fine_tuning.jobs.retrieve(job_id)
        if job.status in until:
            return job
        time.sleep(0.02)
    raise AssertionError(f"job {job_id} is still {job.status}")


@pytest.fixture(scope="session")
def wait_for() -> Callable[..., FineTuningJob]:
    return wait


@pytest.fixture(scope="session")
def tuned(client: OpenAI, fine_tune: FineTune, intents: bytes) -> str:
    model = fine_tune(client, intents, model="wheel-small", suffix="intents", seed=7).fine_tuned_model
    assert model is not None
    return model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "provider"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


@pytest.fixture
def door(provider: LocalProvider, ledger: Ledger) -> Provider:
    """Return our own client of the local provider, with a ledger of its own; it tries twice more, not six times."""
    return Provider(provider.base_url, "none", ledger, tries=2)


def talk(provider: LocalProvider, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Ask the local provider something that no other provider offers."""
    connection = HTTPConnection(urlsplit(provider.root_url).netloc, timeout=10)
    connection.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body))
    found = json.loads(connection.getresponse().read())
    connection.close()
    return found


@pytest.fixture
def served(provider: LocalProvider) -> Callable[[], dict[str, dict[str, int]]]:
    """Return what counts, per model, what was served since the test began."""

    def counts() -> dict[str, dict[str, int]]:
        return {model: dict(row) for model, row in talk(provider, "/_count")["models"].items()}

    before = counts()

    def since() -> dict[str, dict[str, int]]:
        grown = {
            model: {name: count - before.get(model, {}).get(name, 0) for name, count in row.items()}
            for model, row in counts().items()
        }
        return {model: row for model, row in grown.items() if row["requests"]}

    return since


@pytest.fixture
def faults(provider: LocalProvider) -> Iterator[Callable[..., None]]:
    """Return what arms faults of the local provider until the test is over."""
    yield lambda **wanted: talk(provider, "/_faults", wanted) and None
    talk(provider, "/_faults", {})


class Scripted:
    """A server that answers every path as it is told: (status, content type, body)."""

    def __init__(self) -> None:
        self.replies: dict[str, tuple[int, str, bytes]] = {}
        self.asked: list[tuple[str, bytes]] = []
        self.keys: list[str | None] = []
        self.base_url = ""

    def says(self, path: str, body: Any, status: int = 200, kind: str = "application/json") -> None:
        self.replies[path] = (status, kind, body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """Run a server whose only model `m` costs 1 and 2 USD per million tokens; it says nothing else until told."""
    script = Scripted()

    class Spoken(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length") or 0))
            script.asked.append((self.path, sent))
            script.keys.append(self.headers.get("authorization"))
            status, kind, body = script.replies.get(self.path, (404, "application/json", b"{}"))
            self.send_response(status)
            for name, value in (("content-type", kind), ("content-length", str(len(body))), ("retry-after", "0.01")):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the server's own names

        def log_message(self, *said: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Spoken)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    script.base_url = f"http://127.0.0.1:{server.server_port}/v1"
    prices = {"price_in_usd_per_million": 1.0, "price_out_usd_per_million": 2.0}
    script.says("/v1/models", {"object": "list", "data": [{"id": "m", "object": "model", **prices}]})
    yield script
    server.shutdown()
    server.server_close()
