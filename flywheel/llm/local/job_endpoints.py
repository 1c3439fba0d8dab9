"""Endpoints for files and fine-tuning jobs."""

import re
import time
from typing import Any
from uuid import uuid4

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from flywheel.llm.local.catalogue import Family
from flywheel.llm.local.files import FileStore
from flywheel.llm.local.jobs import Job, JobStore
from flywheel.llm.local.registry import Registry
from flywheel.llm.local.trainer import Trainer
from flywheel.llm.local.wire import ApiError, Json, page, read_body, read_number, read_whole

_SUFFIX = re.compile(r"[A-Za-z0-9_-]{0,64}")
_HYPERPARAMETERS = ("n_epochs", "batch_size", "learning_rate_multiplier")
_WIDEST_SEED = 2**31 - 1  # OpenAI's bound


class FileEndpoints:
    """Upload, list, read and delete files."""

    def __init__(self, files: FileStore) -> None:
        self._files = files

    async def upload(self, request: Request) -> Json:
        """Store a multipart upload with its purpose."""
        async with request.form() as form:
            part, purpose = form.get("file"), form.get("purpose")
            if not isinstance(part, UploadFile):
                raise ApiError("The form has no part `file`. Send the file as multipart/form-data.", 400, "file")
            content = await part.read()
            name = part.filename or "upload"
        return (await run_in_threadpool(self._files.add, content, name, str(purpose), int(time.time()))).shown()

    async def listing(self, request: Request) -> Json:
        """List files, newest first."""
        records = self._files.newest_first(request.query_params.get("purpose"))
        return page([record.shown() for record in records], request)

    async def one(self, request: Request) -> Json:
        """Describe one file."""
        return self._files.get(request.path_params["file_id"]).shown()

    async def content(self, request: Request) -> Response:
        """Return a file's bytes."""
        content = await run_in_threadpool(self._files.content, request.path_params["file_id"])
        return Response(content, media_type="application/octet-stream")

    async def delete(self, request: Request) -> Json:
        """Delete one file."""
        file_id = request.path_params["file_id"]
        self._files.delete(file_id)
        return {"id": file_id, "object": "file", "deleted": True}


class JobEndpoints:
    """Create, list, follow and cancel fine-tuning jobs."""

    def __init__(self, jobs: JobStore, files: FileStore, registry: Registry, trainer: Trainer) -> None:
        self._jobs = jobs
        self._files = files
        self._registry = registry
        self._trainer = trainer

    async def create(self, request: Request) -> Json:
        """Accept a job and put it in line."""
        job = self._jobs.add(self._read_job(await read_body(request)))
        self._trainer.submit(job.job_id)
        return job.shown()

    async def listing(self, request: Request) -> Json:
        """List jobs, newest first."""
        return page([job.shown() for job in self._jobs.newest_first()], request)

    async def one(self, request: Request) -> Json:
        """Describe one job."""
        return self._jobs.get(request.path_params["job_id"]).shown()

    async def events(self, request: Request) -> Json:
        """List what happened to a job, newest first."""
        job = self._jobs.get(request.path_params["job_id"])
        return page(job.events[::-1], request)

    async def cancel(self, request: Request) -> Json:
        """Cancel a job that has not finished."""
        return self._jobs.cancel(request.path_params["job_id"]).shown()

    def _read_job(self, body: Json) -> Job:
        model = str(body.get("model"))
        if self._registry.base(model).family is Family.EMBEDDING:
            raise ApiError(f"{model!r} makes embeddings and cannot be fine-tuned.", 400, "model")
        suffix = body.get("suffix") or ""
        if not isinstance(suffix, str) or not _SUFFIX.fullmatch(suffix):
            expected = "up to 64 letters, digits, - and _"
            raise ApiError(f"suffix is {suffix!r}; expected {expected}.", 400, "suffix")
        return Job(
            job_id=f"ftjob-{uuid4().hex[:24]}",
            model=model,
            training_file=self._read_file(body.get("training_file"), "training_file"),
            validation_file=self._read_optional_file(body.get("validation_file")),
            suffix=suffix,
            seed=read_whole(body, "seed", (0, _WIDEST_SEED), 0),
            hyperparameters=_read_hyperparameters(body),
            created_at=int(time.time()),
        )

    def _read_optional_file(self, file_id: object) -> str | None:
        return None if file_id is None else self._read_file(file_id, "validation_file")

    def _read_file(self, file_id: object, param: str) -> str:
        record = self._files.get(str(file_id), param)
        if record.purpose != "fine-tune":
            raise ApiError(f"File {file_id!r} has purpose {record.purpose!r}; expected fine-tune.", 400, param)
        return record.file_id


def _read_hyperparameters(body: Json) -> dict[str, Any]:
    """Read the numbers of a supervised job; each is a number above 0 or "auto".

    Only learning_rate_multiplier changes the fit (it weakens the regularisation); the others are recorded.
    """
    method = body.get("method") or {"type": "supervised"}
    if not isinstance(method, dict) or method.get("type") != "supervised":
        raise ApiError(f"method is {method!r}; only the supervised method is offered here.", 400, "method")
    given = (method.get("supervised") or {}).get("hyperparameters") or body.get("hyperparameters") or {}
    chosen = {name: given.get(name, "auto") for name in _HYPERPARAMETERS}
    return {
        name: value if value == "auto" else read_number(chosen, name, (1e-3, 1e4), 1.0)
        for name, value in chosen.items()
    }
