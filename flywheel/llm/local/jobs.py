"""Fine-tuning jobs: what was asked, how far it is, and what happened, on disk after every step."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Any

from flywheel.llm.local.disk import read_json, write_json
from flywheel.llm.local.wire import ApiError, Json, missing


class JobStatus(StrEnum):
    """Name how far a job is; OpenAI's words."""

    VALIDATING = "validating_files"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = frozenset({JobStatus.VALIDATING, JobStatus.QUEUED, JobStatus.RUNNING})


@dataclass(frozen=True, slots=True)
class Job:
    """Hold one fine-tuning job as it stands."""

    job_id: str
    model: str
    training_file: str
    validation_file: str | None
    suffix: str
    seed: int
    hyperparameters: dict[str, Any]
    created_at: int
    status: JobStatus = JobStatus.VALIDATING
    finished_at: int | None = None
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    error: dict[str, str | None] | None = None
    events: tuple[Json, ...] = ()

    def shown(self) -> Json:
        """Return the job in OpenAI's shape."""
        return {
            "id": self.job_id,
            "object": "fine_tuning.job",
            "model": self.model,
            "created_at": self.created_at,
            "finished_at": self.finished_at,
            "fine_tuned_model": self.fine_tuned_model,
            "organization_id": "org-local",
            "status": self.status.value,
            "training_file": self.training_file,
            "validation_file": self.validation_file,
            "result_files": [],
            "trained_tokens": self.trained_tokens,
            "hyperparameters": self.hyperparameters,
            "method": {"type": "supervised", "supervised": {"hyperparameters": self.hyperparameters}},
            "error": self.error,
            "seed": self.seed,
            "user_provided_suffix": self.suffix or None,
        }


class JobStore:
    """Keep jobs in memory and on disk; every change writes the whole job with its events."""

    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        self._folder = folder
        self._now = now
        self._changing = Lock()
        jobs = (_read_job(path) for path in sorted(folder.glob("ftjob-*.json")))
        self._jobs = {job.job_id: job for job in jobs}

    def add(self, job: Job) -> Job:
        """Store a new job."""
        return self._put(self._with_event(job, "Created fine-tuning job", "info"))

    def get(self, job_id: str) -> Job:
        """Return a job; raises ApiError when there is none."""
        if job_id not in self._jobs:
            raise missing("fine-tuning job", job_id, "fine_tuning_job_id")
        return self._jobs[job_id]

    def newest_first(self) -> list[Job]:
        """List all jobs."""
        return sorted(self._jobs.values(), key=lambda job: (-job.created_at, job.job_id))

    def unfinished(self) -> list[Job]:
        """List the jobs still to do, oldest first."""
        return [job for job in reversed(self.newest_first()) if job.status in OPEN]

    def advance(self, job_id: str, message: str, **changes: Any) -> Job:
        """Change a job that is still open and note why; a finished job stays as it is."""
        with self._changing:
            job = self.get(job_id)
            if job.status not in OPEN:
                return job
            changed = replace(job, **changes)
            if changed.status not in OPEN:
                changed = replace(changed, finished_at=int(self._now()))
            level = "error" if changed.status is JobStatus.FAILED else "info"
            return self._put(self._with_event(changed, message, level))

    def cancel(self, job_id: str) -> Job:
        """Cancel an open job; raises ApiError when it has already finished."""
        job = self.get(job_id)
        if job.status not in OPEN:
            raise ApiError(f"Job {job_id!r} is already {job.status}; only an unfinished job can be cancelled.")
        return self.advance(job_id, "The job was cancelled.", status=JobStatus.CANCELLED)

    def _with_event(self, job: Job, message: str, level: str) -> Job:
        event = {
            "id": f"ftevent-{job.job_id.removeprefix('ftjob-')}-{len(job.events)}",
            "object": "fine_tuning.job.event",
            "created_at": int(self._now()),
            "level": level,
            "message": message,
            "type": "message",
        }
        return replace(job, events=(*job.events, event))

    def _put(self, job: Job) -> Job:
        write_json(self._folder / f"{job.job_id}.json", asdict(job))
        self._jobs[job.job_id] = job
        return job


def _read_job(path: Path) -> Job:
    row = read_json(path)
    return Job(**{**row, "status": JobStatus(row["status"]), "events": tuple(row["events"])})
