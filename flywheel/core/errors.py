"""Every error a reader may meet, as one tree.

    FlywheelError
    ├── UsageError        the call is wrong: fix the call (exit code 2)
    │   ├── UnknownTable  UnknownQuery  UnknownFormat  UnknownDataset  UnknownVersion
    │   ├── UnknownMoment NotInVersion
    │   ├── BadSetting    MissingPart   BadStatement  BadSignal
    ├── DataError         the rows said no: look at the rows (exit code 1)
    │   ├── SchemaMismatch  UnknownExpectation  EmptyPromise  GateRefused  DriftFound  NothingToPublish
    │   ├── CorruptObject   BrokenRelease   Unparsed  UnreadableRows
    │   └── BrokenLake      LakeFaulty
    └── TransientError    somebody else's trouble: try again (tasks retry these, and only these)
        ├── ProviderBusy  StoreBusy  LakeBusy
        └── VersionTaken

A message quotes the offending value, says what was expected and what to do next, in one or two sentences.
"""

from collections.abc import Iterable, Sequence


class FlywheelError(Exception):
    """Anything this project raises on purpose."""


class UsageError(FlywheelError):
    """The call is wrong; changing it helps, retrying does not."""


class DataError(FlywheelError):
    """The rows are wrong; looking at them helps, retrying does not."""


class TransientError(FlywheelError):
    """Something outside is busy or away; retrying helps."""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


class UnknownTable(UsageError):
    """A table was asked for that no file under sql/ defines."""

    def __init__(self, table: str, known: Iterable[str]) -> None:
        super().__init__(f"No file under sql/ defines table {table!r}. Tables: {_listed(known)}.")


class UnknownQuery(UsageError):
    """A named query file is not there."""

    def __init__(self, name: str, folder: str, known: Iterable[str]) -> None:
        super().__init__(f"There is no query {name!r} in {folder}. Queries there: {_listed(known)}.")


class UnknownFormat(UsageError):
    """A log file matches no format under sql/ingest/."""

    def __init__(self, source: str, known: Iterable[str]) -> None:
        super().__init__(
            f"The format of {source!r} was not recognised. Pass --format with one of: {_listed(known)}; or map its "
            "columns in flywheel.toml, see docs/formats.md."
        )


class UnknownDataset(UsageError):
    """A public data set was named that we have no source for."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"There is no data set {name!r}. `flywheel data list` shows: {_listed(known)}.")


class UnknownVersion(UsageError):
    """A release version or tag does not exist."""

    def __init__(self, dataset: str, wanted: str, known: Iterable[str]) -> None:
        super().__init__(
            f"Dataset {dataset!r} has no version or tag {wanted!r}. It has: {_listed(known)}. "
            "`flywheel releases list` shows them all."
        )


class UnknownMoment(UsageError):
    """`--at` names no version that the lake has."""

    def __init__(self, at: str, reason: str) -> None:
        super().__init__(
            f"--at {at!r} is no version of the lake: {reason}. `flywheel sql 'from lake.snapshots()'` lists its "
            "versions, `flywheel releases list` releases and their tags."
        )


class NotInVersion(UsageError):
    """An older version of the lake was asked for something that came later."""

    def __init__(self, version: int, what: str, came_with: int | None) -> None:
        since = "later" if came_with is None else f"with version {came_with}"
        super().__init__(
            f"Version {version} of the lake has no {what}: it came {since}. Pass --at a newer version, or "
            "leave it out."
        )


class BadSetting(UsageError):
    """A setting has a value that cannot work."""

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(
            f"Setting {name!r} is {value!r}; expected {expected}. Change it in flywheel.toml or the "
            f"environment (FLYWHEEL_{name.upper()}); `flywheel doctor` shows what is in force."
        )


class MissingPart(UsageError):
    """Something that has to be installed or started is not there."""

    def __init__(self, part: str, remedy: str) -> None:
        super().__init__(f"{part} is not available. {remedy}")


class BadStatement(UsageError):
    """DuckDB refused a statement somebody typed."""

    def __init__(self, statement: str, reason: str) -> None:
        super().__init__(
            f"DuckDB refused {statement!r}: {reason} `flywheel sql 'show all tables'` lists what can be read."
        )


class BadSignal(UsageError):
    """A signal's file does not say what it is."""

    def __init__(self, file: str, found: str, expected: str) -> None:
        super().__init__(
            f"The signal {file!r} has {found[:120]!r}; expected {expected}. See docs/signals.md for an example."
        )


class SchemaMismatch(DataError):
    """Rows do not have the columns their table declares."""

    def __init__(self, table: str, found: Iterable[str], expected: Iterable[str]) -> None:
        super().__init__(
            f"Rows for table {table!r} have the wrong columns: got {_listed(found)}; expected "
            f"{_listed(expected)}. Compare them with the table's file under sql/."
        )


class UnknownExpectation(DataError):
    """A suite declares expectations that Great Expectations would drop in silence."""

    def __init__(self, suite: str, declared: int, loaded: int, unrecognised: Iterable[str]) -> None:
        super().__init__(
            f"Suite {suite!r} declares {declared} expectations but {loaded} loaded; not recognised: "
            f"{_listed(unrecognised)}. Fix the names in expectations/{suite}.json."
        )


class EmptyPromise(DataError):
    """A suite promises nothing, or was given nothing to check: a gate that checked nothing fails."""

    def __init__(self, suite: str, problem: str) -> None:
        super().__init__(
            f"Suite {suite!r} checked nothing: {problem}. A gate that checked nothing fails; "
            f"see expectations/{suite}.json."
        )


class GateRefused(DataError):
    """A candidate release broke a critical promise; nothing of it was published."""

    def __init__(self, dataset: str, failed: Iterable[str], quarantined: int) -> None:
        self.failed = sorted(failed)
        self.quarantined_count = quarantined
        super().__init__(
            f"The gate refused the candidate release of {dataset!r}: {_listed(self.failed)}. {quarantined} rows "
            "went to quarantine; `flywheel quarantine list` and `flywheel gate` show them."
        )


class DriftFound(DataError):
    """Current traffic is not distributed like the reference."""

    def __init__(self, day: str, columns: Iterable[str]) -> None:
        self.columns = sorted(columns)
        super().__init__(
            f"Traffic of {day} drifted from its reference in: {_listed(self.columns)}. "
            f"`flywheel watch --day {day}` shows what moved and since when."
        )


class NothingToPublish(DataError):
    """There are no accepted corrections to make a release of."""

    def __init__(self, dataset: str) -> None:
        super().__init__(
            f"There is nothing to publish for {dataset!r}: no accepted corrections. "
            "Run `flywheel correct`, or bring answers with `flywheel correct --answers FILE`."
        )


class CorruptObject(DataError):
    """An object's bytes are not the bytes its manifest recorded."""

    def __init__(self, path: str, found: str, expected: str) -> None:
        super().__init__(
            f"{path} has sha256 {found!r}, but its record says {expected!r}. Do not use it; restore it "
            "from a copy or roll back to an earlier version."
        )


class BrokenRelease(DataError):
    """A release's files are as published, and do not keep what a release promises."""

    def __init__(self, dataset: str, version: int, check: str, found: str) -> None:
        super().__init__(
            f"Version {version} of {dataset!r} does not keep {check!r}: found {found!r}. Do not train on it; "
            "`flywheel releases rollback` points latest at the version before."
        )


class Unparsed(DataError):
    """A model's reply did not have the shape that was asked for."""

    def __init__(self, reply: str, expected: str) -> None:
        super().__init__(
            f"The reply {reply[:80]!r} could not be read as {expected}. It is recorded as unparsed, never as a "
            "score; look at the model or its prompt if this is frequent."
        )


class UnreadableRows(DataError):
    """A query over records that are not in the lake yet stumbled over one of them."""

    def __init__(self, count: int, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"DuckDB could not read {count} rows: {reason[:200]!r}. Look at the records, or at the format's file "
            "under sql/ingest/."
        )


class BrokenLake(DataError):
    """A file that the lake consists of is missing or damaged."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"DuckDB could not read a file of the lake: {reason[:300]!r}. `flywheel lake check` names what is broken "
            "and what to do about it."
        )


class LakeFaulty(DataError):
    """Files of the lake or of releases are missing, damaged or not what the catalog says."""

    def __init__(self, faults: Sequence[str]) -> None:
        more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
        super().__init__(
            f"{len(faults)} of the lake's files are not what they should be: {', '.join(faults[:3])}{more}. "
            "`flywheel lake check` shows each with what to do; `flywheel lake repair` does what loses nothing."
        )


class ProviderBusy(TransientError):
    """A model provider is rate limiting, failing or away."""

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(f"The provider of {model!r} did not answer: {reason}. Try again, or check its base_url.")


class StoreBusy(TransientError):
    """The object store did not do what was asked this time."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"The store failed on {path!r}: {reason}. Try again; nothing was half-written.")


class LakeBusy(TransientError):
    """Another process holds the lake's writer lock for longer than we wait."""

    def __init__(self, path: str, waited_seconds: float) -> None:
        super().__init__(
            f"The lake at {path!r} was locked by another writer for {waited_seconds:.0f} s. "
            "Try again when it is done."
        )


class VersionTaken(TransientError):
    """Another publisher won the race for this version number."""

    def __init__(self, dataset: str, version: int) -> None:
        super().__init__(
            f"Version {version} of {dataset!r} was published by somebody else a moment ago. "
            "Publish again: the next number is free."
        )
