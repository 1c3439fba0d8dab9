from collections.abc import Callable

import pytest
from openai import BadRequestError, NotFoundError, OpenAI
from openai.types.fine_tuning import FineTuningJob

FineTune = Callable[..., FineTuningJob]


def test_a_file_comes_back_as_it_was_sent(client: OpenAI) -> None:
    sent = b'{"a": 1}\r\n\x00\xff'
    stored = client.files.create(file=("odd name.bin", sent), purpose="user_data")
    assert (stored.bytes, stored.filename, stored.purpose) == (len(sent), "odd name.bin", "user_data")
    assert client.files.content(stored.id).read() == sent
    assert client.files.retrieve(stored.id) == stored


def test_files_are_listed_by_purpose_and_paged(client: OpenAI) -> None:
    made = {client.files.create(file=("x", b"x"), purpose="evals").id for _ in range(3)}
    first = client.files.list(purpose="evals", limit=2)
    assert (len(first.data), first.has_more) == (2, True)
    assert {record.id for record in client.files.list(purpose="evals", limit=2)} == made


def test_a_deleted_file_is_gone(client: OpenAI) -> None:
    stored = client.files.create(file=("x", b"x"), purpose="vision")
    assert client.files.delete(stored.id).deleted
    with pytest.raises(NotFoundError, match=stored.id):
        client.files.retrieve(stored.id)


@pytest.mark.parametrize(("content", "purpose", "param"), [(b"x", "fun", "purpose"), (b"", "batch", "file")])
def test_a_bad_upload_is_refused(client: OpenAI, content: bytes, purpose: str, param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        client.files.create(file=("x", content), purpose=purpose)
    assert caught.value.param == param


def test_a_job_runs_to_a_model(client: OpenAI, fine_tune: FineTune, intents: bytes) -> None:
    job = fine_tune(client, intents, model="wheel-large", suffix="v1", seed=11)
    assert (job.status, job.seed, job.error, job.model) == ("succeeded", 11, None, "wheel-large")
    assert job.fine_tuned_model.startswith("ft:wheel-large:v1:")
    assert job.finished_at >= job.created_at
    assert job.trained_tokens == 231
    assert job.id in [listed.id for listed in client.fine_tuning.jobs.list()]


def test_events_tell_the_story_newest_first(client: OpenAI, fine_tune: FineTune, intents: bytes) -> None:
    job = fine_tune(client, intents, model="wheel-neighbour")
    events = [event.message for event in client.fine_tuning.jobs.list_events(job.id, limit=2)]
    assert events == [
        f"New fine-tuned model created: {job.fine_tuned_model}",
        "Fine-tuning job started",
        "Files validated, moving job to queued state",
        "Created fine-tuning job",
    ]


def test_the_same_job_twice_is_the_same_model(
    client: OpenAI, fine_tune: FineTune, intents: bytes, tuned: str
) -> None:
    again = fine_tune(client, intents, model="wheel-small", suffix="intents", seed=7)
    other = fine_tune(client, intents, model="wheel-small", suffix="intents", seed=8)
    assert again.fine_tuned_model == tuned != other.fine_tuned_model


def test_a_validation_file_is_measured(client: OpenAI, fine_tune: FineTune, intents: bytes, tuned: str) -> None:
    held = client.files.create(file=("held.jsonl", intents.splitlines()[0]), purpose="fine-tune")
    job = fine_tune(client, intents, model="wheel-small", validation_file=held.id)
    messages = [event.message for event in client.fine_tuning.jobs.list_events(job.id)]
    assert "Validation: 1 of 1 answers exactly right" in messages


def test_hyperparameters_are_part_of_the_model(client: OpenAI, fine_tune: FineTune, intents: bytes) -> None:
    method = {"type": "supervised", "supervised": {"hyperparameters": {"learning_rate_multiplier": 0.1}}}
    timid, usual = (fine_tune(client, intents, model="wheel-small", **how) for how in ({"method": method}, {}))
    assert timid.hyperparameters.learning_rate_multiplier == 0.1
    assert timid.fine_tuned_model != usual.fine_tuned_model


def test_training_goes_on_from_a_trained_model(client: OpenAI, fine_tune: FineTune, tuned: str) -> None:
    line = b'{"messages": [{"role": "user", "content": "mortgage"}, {"role": "assistant", "content": "loan"}]}'
    model = fine_tune(client, line, model=tuned).fine_tuned_model
    replies = [
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": text}], temperature=0)
        for text in ("a mortgage", "I lost my card")
    ]
    assert [reply.choices[0].message.content for reply in replies] == ["loan", "card_lost"]
    assert client.models.retrieve(model).model_dump()["lineage"] == [tuned, "wheel-small"]


def test_a_bad_line_fails_the_job_with_its_number(client: OpenAI, fine_tune: FineTune, intents: bytes) -> None:
    lines = intents.splitlines()
    job = fine_tune(client, b"\n".join([*lines[:4], b'{"prompt": "x"}', *lines[4:]]), model="wheel-small")
    assert (job.status, job.fine_tuned_model) == ("failed", None)
    assert (job.error.code, job.error.param) == ("invalid_training_file", "training_file")
    assert job.error.message.startswith("Line 5 of the training file is invalid: messages is None")


@pytest.mark.parametrize(
    ("settings", "param"),
    [
        ({"model": "wheel-embed"}, "model"),
        ({"suffix": "no spaces please"}, "suffix"),
        ({"seed": -1}, "seed"),
        ({"hyperparameters": {"n_epochs": -1}}, "n_epochs"),
        ({"method": {"type": "dpo"}}, "method"),
    ],
)
def test_a_bad_job_names_the_parameter(
    client: OpenAI, intents: bytes, settings: dict[str, object], param: str
) -> None:
    stored = client.files.create(file=("t.jsonl", intents), purpose="fine-tune")
    with pytest.raises(BadRequestError) as caught:
        client.fine_tuning.jobs.create(**{"model": "wheel-small", "training_file": stored.id, **settings})
    assert caught.value.param == param


@pytest.mark.parametrize(("model", "param"), [("wheel-huge", "model"), ("wheel-small", "training_file")])
def test_what_is_not_there_cannot_be_used(client: OpenAI, model: str, param: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        client.fine_tuning.jobs.create(model=model, training_file="file-none")
    assert caught.value.param == param


def test_only_fine_tuning_files_train(client: OpenAI) -> None:
    stored = client.files.create(file=("x", b"x"), purpose="batch")
    with pytest.raises(BadRequestError, match="purpose 'batch'"):
        client.fine_tuning.jobs.create(model="wheel-small", training_file=stored.id)


def test_a_finished_job_cannot_be_cancelled(client: OpenAI, fine_tune: FineTune, intents: bytes) -> None:
    job = fine_tune(client, intents, model="wheel-small")
    with pytest.raises(BadRequestError, match="already succeeded"):
        client.fine_tuning.jobs.cancel(job.id)


def test_an_unknown_job_is_not_found(client: OpenAI) -> None:
    with pytest.raises(NotFoundError, match="ftjob-none"):
        client.fine_tuning.jobs.retrieve("ftjob-none")
