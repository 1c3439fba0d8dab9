"""Train a model through the provider's files and fine-tuning jobs, the way OpenAI's API has them."""

import asyncio
from dataclasses import dataclass
from typing import Any

from openai import APIError, APIStatusError, AsyncOpenAI, omit

from flywheel.core.errors import DataError, MissingPart, ProviderBusy
from flywheel.llm.client import Provider
from flywheel.llm.replies import read_object, refusal

POLL_SECONDS = 0.25
_UNFINISHED = {"validating_files", "queued", "running"}


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """What a fine-tuning job made, and of what."""

    model_id: str
    base_model: str
    job_id: str
    file_id: str


def train(provider: Provider, examples: bytes, base_model: str, *, seed: int = 0, suffix: str = "") -> TrainedModel:
    """Upload JSONL chat examples, run a fine-tuning job to its end and return the model.

    Raises:
        DataError: the job failed; the provider's reason is in the message.
        MissingPart: the provider has no fine-tuning.
        ProviderBusy: the provider is away or busy.
        UsageError: the provider refused, e.g. an unknown model.

    """
    return asyncio.run(_train(provider, examples, base_model, seed, suffix))


async def _train(provider: Provider, examples: bytes, base_model: str, seed: int, suffix: str) -> TrainedModel:
    async with provider.client() as client:
        try:
            return await _run_job(client, examples, base_model, seed, suffix)
        except APIError as failed:
            if isinstance(failed, APIStatusError) and failed.status_code == 404 and failed.code != "model_not_found":
                raise MissingPart(
                    f"Fine-tuning of {base_model!r} at {provider.base_url}",
                    "Point FLYWHEEL_LLM_BASE_URL at a provider with /v1/fine_tuning/jobs, or train from the exports.",
                ) from failed
            raise refusal(base_model, failed) from failed


async def _run_job(client: AsyncOpenAI, examples: bytes, base_model: str, seed: int, suffix: str) -> TrainedModel:
    files, jobs = client.files.with_raw_response, client.fine_tuning.jobs.with_raw_response
    uploaded = _read(await files.create(file=("train.jsonl", examples), purpose="fine-tune"), base_model)
    job = _read(
        await jobs.create(model=base_model, training_file=uploaded["id"], seed=seed, suffix=suffix or omit),
        base_model,
    )
    while job.get("status") in _UNFINISHED:
        await asyncio.sleep(POLL_SECONDS)
        job = _read(await jobs.retrieve(job["id"]), base_model)
    status, model_id, error = job.get("status"), job.get("fine_tuned_model"), job.get("error")
    if status != "succeeded" or not isinstance(model_id, str):
        reason = (error.get("message") if isinstance(error, dict) else error) or status
        raise DataError(
            f"Fine-tuning job {job['id']!r} of {base_model!r} ended as {status!r}: {str(reason).rstrip('.')}."
        )
    return TrainedModel(model_id, base_model, job["id"], uploaded["id"])


def _read(raw: Any, base_model: str) -> dict[str, Any]:
    """Return a file's or a job's description, which has an id."""
    found = read_object(raw.content)
    if found is None or not isinstance(found.get("id"), str):
        raise ProviderBusy(base_model, f"its reply is no object with an id: {raw.content[:80]!r}")
    return found
