"""The worker that takes fine-tuning jobs from files to a model, one after another, in the background."""

import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

from flywheel.core.errors import FlywheelError
from flywheel.llm.local.examples import Example, read_examples
from flywheel.llm.local.faults import Switches
from flywheel.llm.local.files import FileStore
from flywheel.llm.local.jobs import OPEN, Job, JobStatus, JobStore
from flywheel.llm.local.registry import Registry, Training
from flywheel.llm.local.tokens import count_tokens

_LOOK_AGAIN_SECONDS = 0.02  # how soon a cancelled job stops waiting


class Trainer:
    """Validate and run jobs; a job that a stopped server left open is done again from its start."""

    def __init__(self, jobs: JobStore, files: FileStore, registry: Registry, switches: Switches) -> None:
        self._jobs = jobs
        self._files = files
        self._registry = registry
        self._switches = switches
        self._waiting: SimpleQueue[str] = SimpleQueue()

    def start(self, now: Callable[[], float]) -> None:
        """Take up what was left open, then work for as long as the process lives."""
        for job in self._jobs.unfinished():
            self._jobs.advance(job.job_id, "The server was restarted; the job starts again.", status=job.status)
            self.submit(job.job_id)
        Thread(target=self._work, args=(now,), name="trainer", daemon=True).start()

    def submit(self, job_id: str) -> None:
        """Put a job in line."""
        self._waiting.put(job_id)

    def _work(self, now: Callable[[], float]) -> None:
        while True:
            job = self._jobs.get(self._waiting.get())
            if job.status in OPEN:
                self._step(job, int(now()))

    def _step(self, job: Job, created_at: int) -> None:
        try:
            if job.status is JobStatus.VALIDATING:
                self._validate(job)
            else:
                self._train(job, created_at)
        except (FlywheelError, ValueError, MemoryError) as error:
            self._fail(job, error)

    def _validate(self, job: Job) -> None:
        self._read(job.training_file)
        if job.validation_file is not None:
            self._read(job.validation_file)
        self._jobs.advance(job.job_id, "Files validated, moving job to queued state", status=JobStatus.QUEUED)
        self.submit(job.job_id)

    def _train(self, job: Job, created_at: int) -> None:
        self._jobs.advance(job.job_id, "Fine-tuning job started", status=JobStatus.RUNNING)
        self._wait(job.job_id, self._switches.training_delay_seconds())
        if not self._is_running(job.job_id):
            return
        content = self._files.content(job.training_file)
        training = Training(job.model, content, job.suffix, job.seed, job.hyperparameters)
        model_id = self._registry.train(training, created_at, lambda: self._is_running(job.job_id))
        if job.validation_file is not None and self._is_running(job.job_id):
            self._measure(job, model_id, job.validation_file)
        tokens = sum(count_tokens(row.text) + count_tokens(row.answer) for row in read_examples(content))
        self._jobs.advance(
            job.job_id,
            f"New fine-tuned model created: {model_id}",
            status=JobStatus.SUCCEEDED,
            fine_tuned_model=model_id,
            trained_tokens=tokens,
        )

    def _measure(self, job: Job, model_id: str, validation_file: str) -> None:
        learner = self._registry.learner(model_id)
        rows = self._read(validation_file)
        beliefs = [learner.distribution(row.text) for row in rows]
        right = sum(seen.answers[seen.best()] == row.answer for seen, row in zip(beliefs, rows, strict=True))
        self._jobs.advance(job.job_id, f"Validation: {right} of {len(rows)} answers exactly right")

    def _read(self, file_id: str) -> list[Example]:
        return read_examples(self._files.content(file_id))

    def _wait(self, job_id: str, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._is_running(job_id):
            time.sleep(_LOOK_AGAIN_SECONDS)

    def _is_running(self, job_id: str) -> bool:
        return self._jobs.get(job_id).status is JobStatus.RUNNING

    def _fail(self, job: Job, error: Exception) -> None:
        is_data = isinstance(error, FlywheelError)
        details = {
            "code": "invalid_training_file" if is_data else "training_failed",
            "message": str(error),
            "param": "training_file" if is_data else None,
        }
        self._jobs.advance(job.job_id, str(error), status=JobStatus.FAILED, error=details)
