"""Publish: gather a candidate, measure it, hold it against its promises, release it or refuse all of it."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

import orjson
import polars as pl
from filelock import FileLock

from flywheel.core.errors import NothingToPublish
from flywheel.core.ids import content_id
from flywheel.core.lake import Lake
from flywheel.core.minisign import read_secret_key
from flywheel.core.names import check_dataset
from flywheel.core.promises import PromiseResult, check_suite, critical_failures
from flywheel.core.releases import Release, finish_claimed, newest_release, publish_files
from flywheel.core.settings import Settings
from flywheel.core.storage import Store
from flywheel.core.store_probe import require_one_winner
from flywheel.publish.candidate import Candidate
from flywheel.publish.card import write_card
from flywheel.publish.card_facts import card_of
from flywheel.publish.exports.stored import FORMATS, export
from flywheel.publish.facts import facts_of
from flywheel.publish.gathered import gather_at, parent_rows
from flywheel.publish.origins import origins_of
from flywheel.publish.profile import profile
from flywheel.publish.trust import sign_release


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
        MissingPart: the store would let two publishers both win.
        NothingToPublish: there are no corrections.
        VersionTaken: another publisher on another machine won the race.

    """
    key = read_secret_key(settings.signing_key) if settings.signing_key else None
    require_one_winner(store, settings)
    with FileLock(settings.control_folder / f"publish-{check_dataset(settings.dataset)}.lock"):
        claimed = finish_claimed(store, settings.dataset)
        newest = newest_release(store, settings.dataset, claimed)
        parent = parent_rows(store, newest)
        version = lake.version()
        candidate = gather_at(settings, version, day, settings.dataset, parent)
        if candidate.train.is_empty():
            raise NothingToPublish(settings.dataset)
        measured = profile(lake, candidate, day, parent.filter(pl.col("split") == "train"), now)
        lake.land("release_profiles", lake.typed("release_profiles", [measured]))
        results = _check(lake, candidate, measured)
        _land_results(lake, candidate, results, day, now)
        if failed := critical_failures(results):
            set_aside = _quarantine(lake, candidate, failed, day, now)
            return Refusal(settings.dataset, candidate.content_hash, tuple(failed), set_aside)
        files = _files(candidate, measured, results)
        facts = {
            **facts_of(candidate, files["gate.json"], measured["reference"], version, settings),
            **origins_of(lake, candidate, day),
            "day": day.isoformat(),
            "parent": newest.version if newest else None,
            "version": max(claimed, newest.version if newest else 0) + 1,
        }
        files["card.md"] = _card(candidate, facts, files, parent, now)
        release = publish_files(store, settings.dataset, files, facts, now)
    if key:
        sign_release(store, release, key)
    return release


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
        **{f"exports/{form}.jsonl": export(train, form) for form in FORMATS},
    }


def _card(
    candidate: Candidate, facts: Mapping[str, object], files: Mapping[str, bytes], parent: pl.DataFrame, now: datetime
) -> bytes:
    told = {"dataset": candidate.dataset, "created_at": now.isoformat(), "files": [*files, "card.md"]}
    return write_card(card_of({**facts, **told}, files["gate.json"], candidate.rows, parent)).encode()


def _parquet(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()
