"""What the manifest of a release says beside its files: what it is, what it was made of, and by what."""

import orjson

from flywheel import __version__
from flywheel.core.ids import sha256_of
from flywheel.core.settings import Settings
from flywheel.publish.candidate import Candidate

# where things are, who may reach them, and what is on the way there: none of it decides what is in a release
_PLACES = {
    "lake", "catalog", "control", "data", "cache", "s3_endpoint", "s3_region", "s3_use_ssl", "logs",
    "llm_base_url", "llm_api_key", "receive_token", "receive_limit_mb", "alert_webhook",
}  # fmt: skip
_COUNTED_BY = {"author_kind": "author_kind", "route": "route", "mode": "mode_name", "depth": "depth"}


def facts_of(
    candidate: Candidate, gate: bytes, reference: object, lake_version: int, settings: Settings
) -> dict[str, object]:
    """Return the facts of a candidate that passed its gate; rows are counted over all sides."""
    return {
        "content_hash": candidate.content_hash,
        "code_version": __version__,
        "settings_sha256": settings_hash(settings),
        "lake_version": lake_version,
        "gate_sha256": sha256_of(gate),
        "reference": reference,
        "rows": {
            "train": candidate.train.height,
            "heldout": candidate.heldout.height,
            "retired": candidate.retired.height,
            "preferences": candidate.preferences.height,
        },
        **{f"rows_by_{name}": _counted(candidate, column) for name, column in _COUNTED_BY.items()},
        "licence": settings.licence,
        "consent": settings.consent,
    }


def settings_hash(settings: Settings) -> str:
    """Return a sha256 of the settings that decide what is in a release: the same on another machine or store."""
    deciding = settings.model_dump(mode="json", exclude=_PLACES)
    return sha256_of(orjson.dumps(deciding, option=orjson.OPT_SORT_KEYS))


def _counted(candidate: Candidate, column: str) -> dict[str, int]:
    counted = candidate.rows.group_by(column).len().sort("len", column, descending=[True, False])
    return {"none" if value is None else str(value): count for value, count in counted.iter_rows()}
