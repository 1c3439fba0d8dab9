from pathlib import Path

import pytest

from flywheel.llm.local.jobs import Job, JobStatus, JobStore
from flywheel.llm.local.wire import ApiError


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    store = JobStore(tmp_path, lambda: 100.5)
    store.add(Job("ftjob-1", "wheel-small", "file-1", None, "", 0, {}, created_at=90))
    return store


def test_every_step_is_on_disk(store: JobStore, tmp_path: Path) -> None:
    store.advance("ftjob-1", "going", status=JobStatus.RUNNING)
    (kept,) = JobStore(tmp_path, lambda: 0.0).unfinished()
    assert kept == store.get("ftjob-1")
    assert [event["message"] for event in kept.events] == ["Created fine-tuning job", "going"]


def test_a_finished_job_has_a_time_and_stays_as_it_is(store: JobStore) -> None:
    cancelled = store.cancel("ftjob-1")
    assert (cancelled.status, cancelled.finished_at) == (JobStatus.CANCELLED, 100)
    late = store.advance("ftjob-1", "done after all", status=JobStatus.SUCCEEDED, fine_tuned_model="ft:x")
    assert late == store.get("ftjob-1") == cancelled


def test_failing_is_an_error_event(store: JobStore) -> None:
    failed = store.advance("ftjob-1", "no", status=JobStatus.FAILED)
    assert [event["level"] for event in failed.events] == ["info", "error"]


def test_a_finished_job_cannot_be_cancelled(store: JobStore) -> None:
    store.cancel("ftjob-1")
    with pytest.raises(ApiError, match="already cancelled"):
        store.cancel("ftjob-1")


def test_the_oldest_unfinished_job_comes_first(store: JobStore) -> None:
    store.add(Job("ftjob-0", "wheel-small", "file-1", None, "", 0, {}, created_at=95))
    assert [job.job_id for job in store.unfinished()] == ["ftjob-1", "ftjob-0"]
