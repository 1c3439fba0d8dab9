import base64
import struct

import pytest
from openai import BadRequestError, NotFoundError, OpenAI


def test_base_models_come_with_family_and_price(client: OpenAI) -> None:
    entries = {entry.id: entry.model_dump() for entry in client.models.list()}
    shown = [
        (name, entry["family"], entry["price_in_usd_per_million"], entry["price_out_usd_per_million"])
        for name, entry in entries.items()
        if name.startswith("wheel-")
    ]
    assert shown == [
        ("wheel-small", "linear", 0.15, 0.6),
        ("wheel-large", "ngram", 2.5, 10.0),
        ("wheel-neighbour", "neighbour", 0.5, 1.5),
        ("wheel-embed", "embedding", 0.02, 0.0),
    ]


def test_a_trained_model_shows_where_it_comes_from(client: OpenAI, tuned: str) -> None:
    entry = client.models.retrieve(tuned).model_dump()
    assert (entry["id"], entry["base"], entry["lineage"]) == (tuned, "wheel-small", ["wheel-small"])
    assert tuned in [listed.id for listed in client.models.list()]


def test_an_unknown_model_is_not_found(client: OpenAI) -> None:
    with pytest.raises(NotFoundError, match="wheel-huge"):
        client.models.retrieve("wheel-huge")


def test_one_text_or_many_get_the_same_vectors(client: OpenAI) -> None:
    alone = client.embeddings.create(model="wheel-embed", input="where is my card?")
    several = client.embeddings.create(model="wheel-embed", input=["a refund", "where is my card?"])
    assert [row.index for row in several.data] == [0, 1]
    assert several.data[1].embedding == alone.data[0].embedding
    assert len(alone.data[0].embedding) == 256
    assert alone.usage.prompt_tokens == alone.usage.total_tokens == 5


def test_numbers_and_base64_agree(client: OpenAI) -> None:
    floats = client.embeddings.create(model="wheel-embed", input="card", encoding_format="float").data[0].embedding
    packed = client.embeddings.create(model="wheel-embed", input="card", encoding_format="base64").data[0].embedding
    assert list(struct.unpack("<256f", base64.b64decode(packed))) == pytest.approx(floats, abs=1e-7)


def test_dimensions_shorten_the_vector(client: OpenAI) -> None:
    short = client.embeddings.create(model="wheel-embed", input="card", dimensions=64).data[0].embedding
    assert len(short) == 64
    assert sum(number * number for number in short) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("settings", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": [[1, 2]]}, "input"),
        ({"dimensions": 257}, "dimensions"),
        ({"encoding_format": "hex"}, "encoding_format"),
    ],
)
def test_a_bad_embedding_request_names_the_parameter(client: OpenAI, settings: dict[str, object], param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        client.embeddings.create(**{"model": "wheel-embed", "input": "x", **settings})
    assert caught.value.param == param


def test_chat_models_do_not_embed(client: OpenAI) -> None:
    with pytest.raises(NotFoundError):
        client.embeddings.create(model="wheel-small", input="x")


def test_an_endpoint_that_is_not_offered_says_so(client: OpenAI) -> None:
    with pytest.raises(NotFoundError, match="POST /v1/images/generations is not offered here"):
        client.images.generate(prompt="x", model="wheel-small")
