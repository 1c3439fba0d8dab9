from collections.abc import Callable
from typing import Any

import pytest

from flywheel.core.errors import DataError, MissingPart, ProviderBusy, UsageError
from flywheel.core.records import Message
from flywheel.llm.client import Ask, Provider
from flywheel.llm.ledger import Ledger
from flywheel.llm.training import train

Faults = Callable[..., None]
JOBS, FILES = "/v1/fine_tuning/jobs", "/v1/files"


def test_a_job_runs_to_a_model_that_answers(
    door: Provider, intents: bytes, unseen: tuple[tuple[str, str], ...]
) -> None:
    trained = train(door, intents, "wheel-small", seed=3, suffix="door")
    assert trained.model_id.startswith("ft:wheel-small:door:")
    assert (trained.base_model, trained.job_id[:6], trained.file_id[:5]) == ("wheel-small", "ftjob-", "file-")
    asked = door.ask_all([Ask(trained.model_id, (Message("user", text),), "evaluate") for text, _ in unseen])
    right = sum(reply.content == expected for reply, (_, expected) in zip(asked.replies, unseen, strict=True))
    assert right >= 6
    assert door.family_of(trained.model_id) == "linear"


def test_the_same_training_twice_is_the_same_model(door: Provider, intents: bytes) -> None:
    first, again, other = (train(door, intents, "wheel-small", seed=seed).model_id for seed in (5, 5, 6))
    assert first == again != other


def test_a_job_that_takes_time_is_waited_for(door: Provider, intents: bytes, faults: Faults) -> None:
    faults(slow_training={"next": 1, "ms": 600})
    assert train(door, intents, "wheel-small", suffix="slow").model_id.startswith("ft:wheel-small:slow:")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b'{"prompt": "x"}', "Line 1 of the training file is invalid"), (b"not json", "Line 1 of the training file")],
)
def test_a_job_that_fails_says_why(door: Provider, content: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=rf"ended as 'failed': {reason}.*[^.]\.$"):
        train(door, content, "wheel-small")


def test_an_unknown_base_model_is_named(door: Provider, intents: bytes) -> None:
    with pytest.raises(UsageError, match="'wheel-huge'") as caught:
        train(door, intents, "wheel-huge")
    assert not isinstance(caught.value, MissingPart)


@pytest.mark.parametrize("content", [b""])
def test_what_the_provider_refuses_is_told(door: Provider, content: bytes) -> None:
    with pytest.raises(UsageError, match="refused"):
        train(door, content, "wheel-small")


@pytest.mark.parametrize("path", [FILES, JOBS])
def test_a_provider_that_is_busy_for_a_moment_is_waited_for(
    door: Provider, intents: bytes, faults: Faults, path: str
) -> None:
    faults(rate_limit={"next": 1, "path": path, "retry_after_seconds": 0.05})
    assert train(door, intents, "wheel-small").model_id


STAYING: dict[str, dict[str, Any]] = {
    "rate_limit": {"retry_after_seconds": 0.01},
    "server_error": {},
    "malformed": {},
}


@pytest.mark.parametrize("kind", STAYING)
def test_a_provider_that_stays_busy_is_worth_another_try(
    door: Provider, intents: bytes, faults: Faults, kind: str
) -> None:
    faults(**{kind: {"path": JOBS, **STAYING[kind]}})
    with pytest.raises(ProviderBusy, match="'wheel-small'"):
        train(door, intents, "wheel-small")


def test_a_provider_that_is_not_there_is_busy(ledger: Ledger, intents: bytes) -> None:
    with pytest.raises(ProviderBusy):
        train(Provider("http://127.0.0.1:9/v1", "none", ledger, tries=0), intents, "m")


@pytest.fixture
def elsewhere(scripted: Any, ledger: Ledger) -> Provider:
    return Provider(scripted.base_url, "none", ledger, tries=0)


def test_a_provider_without_fine_tuning_is_told_apart(elsewhere: Provider, intents: bytes) -> None:
    with pytest.raises(MissingPart, match=r"Fine-tuning of 'm' at http://127\.0\.0\.1.* is not available"):
        train(elsewhere, intents, "m")


def test_files_without_jobs_are_no_fine_tuning(elsewhere: Provider, scripted: Any, intents: bytes) -> None:
    scripted.says(FILES, {"id": "file-1"})
    with pytest.raises(MissingPart):
        train(elsewhere, intents, "m")


ENDED = [
    ({"status": "failed", "error": {"message": "too few rows."}}, "ended as 'failed': too few rows"),
    ({"status": "failed", "error": None}, "ended as 'failed': failed"),
    ({"status": "cancelled"}, "ended as 'cancelled': cancelled"),
    ({"status": "succeeded", "fine_tuned_model": None}, "ended as 'succeeded'"),
    ({"status": "no such status"}, "ended as 'no such status'"),
    ({}, "ended as None"),
]


@pytest.mark.parametrize(("job", "told"), ENDED)
def test_a_job_without_a_model_is_no_success(
    elsewhere: Provider, scripted: Any, job: dict[str, Any], told: str
) -> None:
    scripted.says(FILES, {"id": "file-1"})
    scripted.says(JOBS, {"id": "job-1", **job})
    with pytest.raises(DataError, match=f"'job-1' of 'm' {told}"):
        train(elsewhere, b"{}", "m")


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'{"no": "id"}', b'{"id": 5}'])
def test_a_page_instead_of_a_job_is_a_busy_provider(elsewhere: Provider, scripted: Any, body: bytes) -> None:
    scripted.says(FILES, {"id": "file-1"})
    scripted.says(JOBS, body, kind="text/html")
    with pytest.raises(ProviderBusy, match="no object with an id"):
        train(elsewhere, b"{}", "m")
