"""Releases as tables beside the lake's own: `releases`, one view per release file, and `release_contents`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flywheel.core.marks import forgotten_rows
from flywheel.core.releases import Release, list_releases
from flywheel.core.storage import Store
from flywheel.core.tags import LATEST, tags

if TYPE_CHECKING:
    from flywheel.core.statements import Connection

_TRAIN = "train.parquet"
_SIDES = {"": _TRAIN, "_heldout": "heldout.parquet"}
_CONTENTS = "release_contents"
# the columns to ask by, also before the first release
_NO_CONTENTS = (
    "select null::varchar as dataset, null::bigint as version, null::varchar as split, "
    "null::varchar as correction_id where false"
)
_RELEASES = """
create or replace temp view releases as
select dataset, version, rows, tags, created_at, content_hash, forgotten_rows from (
    select unnest(from_json({rows}, '[{{"dataset": "VARCHAR", "version": "BIGINT", "rows": "MAP(VARCHAR, BIGINT)",
    "tags": ["VARCHAR"], "created_at": "TIMESTAMPTZ", "content_hash": "VARCHAR",
    "forgotten_rows": "BIGINT"}}]'), recursive := false) as listed
) as manifests, lateral (select unnest(listed))
"""


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """A view over files of releases."""

    name: str
    query: str

    @property
    def statement(self) -> str:
        """Return the SQL that makes it, with or without our code."""
        return f"create or replace temp view {self.name} as {self.query}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def describe(release: Release, pointed: Mapping[str, int], forgotten: Mapping[int, int]) -> dict[str, Any]:
    """Return what lists say about a release: its name, rows, tags, hash and how much of it was forgotten since."""
    return {
        "dataset": release.dataset,
        "version": release.version,
        "rows": dict(release.manifest.get("rows", {})),
        "tags": sorted(tag for tag, version in pointed.items() if version == release.version),
        "created_at": release.created_at,
        "content_hash": release.content_hash,
        "forgotten_rows": forgotten.get(release.version, 0),
    }


def described_releases(store: Store) -> list[dict[str, Any]]:
    """Return all releases with the tags that point at them, by dataset and version."""
    releases = list_releases(store)
    datasets = {release.dataset for release in releases}
    pointed = {dataset: tags(store, dataset) for dataset in datasets}
    forgotten = {dataset: forgotten_rows(store, dataset) for dataset in datasets}
    return [describe(release, pointed[release.dataset], forgotten[release.dataset]) for release in releases]


def release_views(store: Store, described: Sequence[dict[str, Any]]) -> Iterator[ReleaseView]:
    """Yield `release_<dataset>_<version>` and `..._latest`, the same with `_heldout`, and `release_contents`."""
    for row in described:
        dataset = re.sub(r"\W", "_", row["dataset"]).lower()
        names = [str(row["version"]), *([LATEST] if LATEST in row["tags"] else [])]
        for name in names:
            for suffix, file in _SIDES.items():
                yield ReleaseView(f"release_{dataset}_{name}{suffix}", f"from {_parquet(store, row, file)}")
    yield ReleaseView(
        _CONTENTS, " union all by name ".join([_NO_CONTENTS, *(_trained(store, row) for row in described)])
    )


def _trained(store: Store, row: dict[str, Any]) -> str:
    release = f"{_quoted(row['dataset'])} as dataset, {row['version']} as version"
    return f"select {release}, * from {_parquet(store, row, _TRAIN)}"  # noqa: S608 - quoted, or a number


def _parquet(store: Store, row: dict[str, Any], file: str) -> str:
    url = store.url(f"releases/{row['dataset']}/{row['version']}/{file}")
    return f"read_parquet({_quoted(url)})"


def is_named_in(view: ReleaseView, statement: str) -> bool:
    """Whether a statement may read the view: it names it, or it lists what there is."""
    return re.search(rf"\b({view.name}|show|duckdb_views|information_schema)\b", statement, re.IGNORECASE) is not None


def attach_releases(connection: "Connection", store: Store, statement: str | None = None) -> None:
    """Make the views on a connection; with a statement only those it may read, since each opens a file.

    Raises:
        duckdb.Error: a release's file cannot be read.

    """
    from flows.cli.show import as_json

    described = described_releases(store)
    connection.execute(_RELEASES.format(rows=_quoted(as_json(described))))
    for view in release_views(store, described):
        if statement is None or is_named_in(view, statement):
            connection.execute(view.statement)
