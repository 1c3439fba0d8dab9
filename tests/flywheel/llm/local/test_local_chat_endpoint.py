import asyncio
import math

import pytest
from openai import AsyncOpenAI, BadRequestError, DefaultAioHttpClient, NotFoundError, OpenAI

from flywheel.llm.local.server import LocalProvider


def ask(client: OpenAI, model: str, text: str, **settings: object) -> str | None:
    asked = {"temperature": 0, **settings}
    reply = client.chat.completions.create(model=model, messages=[{"role": "user", "content": text}], **asked)
    return reply.choices[0].message.content


def test_training_raises_accuracy_on_unseen_phrasings(
    client: OpenAI, tuned: str, unseen: tuple[tuple[str, str], ...]
) -> None:
    right = {
        model: sum(ask(client, model, text) == intent for text, intent in unseen) for model in ("wheel-small", tuned)
    }
    assert right == {"wheel-small": 0, tuned: 8}


def test_the_untrained_model_says_so(client: OpenAI) -> None:
    assert ask(client, "wheel-large", "where is my card?") == "I do not know."


def test_the_untrained_model_chooses_among_options(client: OpenAI) -> None:
    prompt = "Answer with one of: card_lost, refund, exchange_rate."
    reply = client.chat.completions.create(
        model="wheel-large",
        messages=[{"role": "system", "content": prompt}, {"role": "user", "content": "I lost a card"}],
        temperature=0,
    )
    assert reply.choices[0].message.content == "card_lost"


def test_the_logprobs_of_all_answers_make_one_distribution(client: OpenAI, tuned: str) -> None:
    question = [{"role": "user", "content": "card refund"}]
    chances: dict[str | None, float] = {}
    for seed in range(30):  # temperature 2 reaches every answer; logprobs stay those of the model itself
        reply = client.chat.completions.create(
            model=tuned, messages=question, temperature=2, seed=seed, logprobs=True
        )
        tokens = reply.choices[0].logprobs.content
        assert "".join(token.token for token in tokens) == reply.choices[0].message.content
        chances[reply.choices[0].message.content] = math.exp(math.fsum(token.logprob for token in tokens))
    assert sorted(chances) == ["card_lost", "close_account", "exchange_rate", "refund"]
    assert math.fsum(chances.values()) == pytest.approx(1.0)


def test_top_logprobs_are_the_alternatives_best_first(client: OpenAI, tuned: str) -> None:
    question = [{"role": "user", "content": "I lost my card yesterday"}]
    reply = client.chat.completions.create(
        model=tuned, messages=question, temperature=0, logprobs=True, top_logprobs=3
    )
    first, *_, last = reply.choices[0].logprobs.content
    ranked = [entry.logprob for entry in first.top_logprobs]
    assert len(ranked) == 3
    assert ranked == sorted(ranked, reverse=True)
    assert first.top_logprobs[0].token == first.token
    assert bytes(last.bytes).decode() == last.token


def test_no_logprobs_unless_asked(client: OpenAI, tuned: str) -> None:
    reply = client.chat.completions.create(model=tuned, messages=[{"role": "user", "content": "x"}])
    assert reply.choices[0].logprobs is None


def test_many_choices_differ_and_repeat_with_the_seed(client: OpenAI, tuned: str) -> None:
    def draw(seed: int) -> list[str | None]:
        reply = client.chat.completions.create(
            model=tuned, messages=[{"role": "user", "content": "card refund"}], n=20, temperature=1.5, seed=seed
        )
        assert [choice.index for choice in reply.choices] == list(range(20))
        return [choice.message.content for choice in reply.choices]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
    assert len(set(draw(1))) > 1


def test_without_a_seed_the_same_request_gets_the_same_answer(client: OpenAI, tuned: str) -> None:
    assert len({ask(client, tuned, "card refund", temperature=2) for _ in range(5)}) == 1


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_a_token_limit_cuts_the_answer(client: OpenAI, tuned: str, limit: str) -> None:
    reply = client.chat.completions.create(
        model=tuned,
        messages=[{"role": "user", "content": "I lost my card yesterday"}],
        temperature=0,
        logprobs=True,
        **{limit: 2},
    )
    choice = reply.choices[0]
    assert (choice.message.content, choice.finish_reason) == ("card_", "length")
    assert len(choice.logprobs.content) == reply.usage.completion_tokens == 2


def test_usage_counts_tokens(client: OpenAI, tuned: str) -> None:
    reply = client.chat.completions.create(
        model=tuned, messages=[{"role": "user", "content": "I lost my card yesterday"}], temperature=0, n=2
    )
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.total_tokens) == (8, 6, 14)


@pytest.mark.parametrize(
    ("settings", "param"),
    [
        ({"stream": True}, "stream"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"temperature": 3}, "temperature"),
        ({"n": 0}, "n"),
        ({"n": 1.5}, "n"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"seed": "one"}, "seed"),
        ({"messages": []}, "messages"),
        ({"model": "wheel-embed"}, "model"),
    ],
)
def test_a_bad_request_names_the_parameter(client: OpenAI, settings: dict[str, object], param: str) -> None:
    asked = {"model": "wheel-small", "messages": [{"role": "user", "content": "x"}], **settings}
    with pytest.raises(BadRequestError) as caught:
        client.chat.completions.create(**asked)
    assert caught.value.param == param
    assert caught.value.type == "invalid_request_error"


def test_an_unknown_model_is_not_found(client: OpenAI) -> None:
    with pytest.raises(NotFoundError) as caught:
        ask(client, "wheel-huge", "x")
    assert caught.value.code == "model_not_found"


def test_many_concurrent_async_requests_are_answered(
    provider: LocalProvider, tuned: str, unseen: tuple[tuple[str, str], ...]
) -> None:
    async def ask_all() -> list[str | None]:
        opened = AsyncOpenAI(base_url=provider.base_url, api_key="none", http_client=DefaultAioHttpClient())
        async with opened as client:
            calls = [
                client.chat.completions.create(
                    model=tuned, messages=[{"role": "user", "content": text}], temperature=0
                )
                for text, _ in unseen * 10
            ]
            return [reply.choices[0].message.content for reply in await asyncio.gather(*calls)]

    assert asyncio.run(ask_all()) == [intent for _, intent in unseen * 10]
