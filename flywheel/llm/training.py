"""Train a model through the provider's files and fine-tuning jobs, the way OpenAI's API has them."""

import asyncio
from dataclasses import dataclass

from openai import APIConnectionError, APIStatusError, AsyncOpenAI

from flywheel.core.errors import DataError, MissingPart, ProviderBusy, UsageError
from flywheel.llm.client import Provider

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
        ProviderBusy: the provider is away.

    """
    return asyncio.run(_train(provider, examples, base_model, seed, suffix))


async def _train(provider: Provider, examples: bytes, base_model: str, seed: int, suffix: str) -> TrainedModel:
    async with provider.client() as client:
        try:
            return await _run_job(client, examples, base_model, seed, suffix)
        except APIConnectionError as away:
            raise ProviderBusy(base_model, str(away)) from away
        except APIStatusError as refused:
            if refused.status_code == 404:
                raise MissingPart(
                    f"Fine-tuning of {base_model!r} at {provider.base_url}",
                    "Point FLYWHEEL_LLM_BASE_URL at a provider with /v1/fine_tuning/jobs, or train from the exports.",
                ) from refused
            raise UsageError(f"The provider refused to train {base_model!r}: {refused.message}.") from refused


async def _run_job(client: AsyncOpenAI, examples: bytes, base_model: str, seed: int, suffix: str) -> TrainedModel:
    uploaded = await client.files.create(file=("train.jsonl", examples), purpose="fine-tune")
    job = await client.fine_tuning.jobs.create(
        model=base_model, training_file=uploaded.id, seed=seed, suffix=suffix or None
    )
    while job.status in _UNFINISHED:
        await asyncio.sleep(POLL_SECONDS)
        job = await client.fine_tuning.jobs.retrieve(job.id)
    if job.status != "succeeded" or job.fine_tuned_model is None:
        reason = job.error.message if job.error else job.status
        raise DataError(f"Fine-tuning job {job.id!r} of {base_model!r} ended as {job.status!r}: {reason}.")
    return TrainedModel(job.fine_tuned_model, base_model, job.id, uploaded.id)
