"""A running local provider, a real client for it, and a small intent data set."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob

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
