"""Publish: gather a candidate, measure it, hold it against its promises, release it or refuse all of it."""

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

import orjson
import polars as pl
from filelock import FileLock

from flywheel.core.errors import NothingToPublish
from flywheel.core.ids import content_id
from flywheel.core.lake import Lake
from flywheel.core.promises import PromiseResult, check_suite, critical_failures
from flywheel.core.releases import Release, check_dataset, finish_claimed, list_releases, publish_files
from flywheel.core.settings import Settings
from flywheel.core.storage import Store
from flywheel.publish.candidate import Candidate
from flywheel.publish.card import write_card
from flywheel.publish.exports.stored import FORMATS, export
from flywheel.publish.facts import facts_of
from flywheel.publish.gathered import gather_at, parent_rows
from flywheel.publish.profile import profile


@dataclass(frozen=True, slots=True)
class Refusal:
    """A candidate that broke critical promises; nothing of it was published."""

    dataset: str
    candidate: str
    failed: tuple[PromiseResult, ...]
    quarantined_count: int

    @property
    def failed_names(self) -> list[str]:
        """Return `suite.expectation(subject)` of what was broken."""
        return [f"{result.suite}.{result.expectation}({result.subject})" for result in self.failed]


def publish_day(lake: Lake, store: Store, settings: Settings, day: date, now: datetime) -> Release | Refusal:
    """Publish everything accepted up to the day as the next version, or refuse it whole.

    Raises:
        BadSetting: the dataset's name cannot be one.
        NothingToPublish: there are no corrections.
        VersionTaken: another publisher on another machine won the race.

    """
    with FileLock(settings.control_folder / f"publish-{check_dataset(settings.dataset)}.lock"):
        finish_claimed(store, settings.dataset)
        releases = list_releases(store, settings.dataset)
        parent = parent_rows(store, releases[-1] if releases else None)
        version = lake.version()
        candidate = gather_at(settings, version, day, settings.dataset, parent)
        if candidate.train.is_empty():
            raise NothingToPublish(settings.dataset)
        measured = profile(lake, candidate, day, parent.filter(pl.col("split") == "train"), now)
        lake.land("release_profiles", lake.typed("release_profiles", [measured]))
        results = _check(lake, candidate, measured)
        _land_results(lake, candidate, results, day, now)
        failed = critical_failures(results)
        if failed:
            return Refusal(
                settings.dataset,
                candidate.content_hash,
                tuple(failed),
                _quarantine(lake, candidate, failed, day, now),
            )
        files = _files(candidate, measured, results)
        facts = facts_of(candidate, files["gate.json"], measured["reference"], version, settings)
        built_on = {"day": day.isoformat(), "parent": releases[-1].version if releases else None}
        return publish_files(store, settings.dataset, files, facts | built_on, now)


def _check(lake: Lake, candidate: Candidate, measured: dict[str, object]) -> list[PromiseResult]:
    rows = candidate.rows.drop("mode_name", "route", "group_id", "split")
    measures = lake.typed("release_profiles", [measured])
    return [*check_suite("corrections", rows), *check_suite("release_profiles", measures)]


def _land_results(
    lake: Lake, candidate: Candidate, results: Sequence[PromiseResult], day: date, now: datetime
) -> None:
    rows = [
        asdict(result)
        | {
            "day": day,
            "gate_id": content_id(
                candidate.content_hash, result.suite, result.expectation, result.subject, result.bound
            ),
            "dataset": candidate.dataset,
            "candidate": candidate.content_hash,
            "checked_at": now,
        }
        for result in results
    ]
    lake.land("gates", lake.typed("gates", rows))


def _quarantine(lake: Lake, candidate: Candidate, failed: Sequence[PromiseResult], day: date, now: datetime) -> int:
    """Set aside the rows that are new in the candidate: the parent's were published and stay."""
    reasons = ", ".join(sorted({f"{result.suite}.{result.subject}" for result in failed}))
    rows = [
        {
            "day": day,
            "quarantine_id": content_id("corrections", row["correction_id"]),
            "table_name": "corrections",
            "refused_id": row["correction_id"],
            "reason": "gate_refused",
            "detail": reasons,
            "source_file": row["batch_id"],
            "quarantined_at": now,
        }
        for row in candidate.fresh.iter_rows(named=True)
    ]
    return lake.land("quarantine", lake.typed("quarantine", rows))


def _files(candidate: Candidate, measured: dict[str, object], results: Sequence[PromiseResult]) -> dict[str, bytes]:
    gate = {
        "candidate": candidate.content_hash,
        "profile": measured,
        "results": [asdict(result) for result in results],
    }
    train = candidate.train
    return {
        "train.parquet": _parquet(train),
        "heldout.parquet": _parquet(candidate.heldout),
        "retired.parquet": _parquet(candidate.retired),
        "preferences.parquet": _parquet(candidate.preferences),
        "gate.json": orjson.dumps(gate, option=orjson.OPT_INDENT_2, default=str),
        "card.md": write_card(candidate, measured, results).encode(),
        **{f"exports/{form}.jsonl": export(train, form) for form in FORMATS},
    }


def _parquet(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()
