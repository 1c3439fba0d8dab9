"""Say in our own errors what DuckDB, Postgres or S3 refused: with the place, without a password or a key.

Whatever may pass by itself - a server away, a rival's commit - is transient, so that tasks try again; whatever needs
somebody to change a setting is not.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flywheel.core.errors import BadSetting, FlywheelError, LakeBusy, MissingPart, StoreBusy
from flywheel.core.settings import Settings, hidden

if TYPE_CHECKING:
    import duckdb

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and what an answer without a body says; not
# an expired token: a retry gets a new one
_NO_BUCKET = "NoSuchBucket"
_NO_ACCESS = (
    "AccessDenied",
    "AllAccessDisabled",
    "AuthorizationHeaderMalformed",
    "InvalidAccessKeyId",
    "InvalidToken",
    "NoCredentialsError",
    "SignatureDoesNotMatch",
    "401",
    "403",
)
_CODE = re.compile(rf"\b({'|'.join((_NO_BUCKET, *_NO_ACCESS))})\b")
_CONFLICT = re.compile(r"Failed to commit DuckLake transaction|[Cc]onflict")
_RETRIED_SECONDS = 10.0  # DuckLake commits again ten times, each wait half as long again as the last, from 0.1 s
_S3_CALL = re.compile(r"s3://|https?://|HTTP")
_NO_ENTRY = re.compile(
    r"authentication failed|no password supplied|does not exist|no pg_hba\.conf entry|permission denied"
    r"|invalid connection option|missing \"=\"|invalid (URI|port|percent)|could not translate host name"
)
_AWAY = re.compile(
    r"Unable to connect to Postgres|server closed the connection|terminating connection|connection.*(lost|refused)"
    r"|too many (connections|clients)|connection slots|starting up|shutting down|no connection to the server"
    r"|Failed to execute query \"ROLLBACK\"",
    re.IGNORECASE,
)
_FULL = re.compile(r"No space left on device|database or disk is full|disk full|disk I/O error", re.IGNORECASE)
_OTHER_PLACE = re.compile(r'does not match existing data path in the catalog "([^"]*)"')


@contextmanager
def explained(settings: Settings | None) -> Iterator[None]:
    """Turn what DuckDB raises inside into one of our errors, where it is the surroundings' fault.

    Raises:
        LakeBusy: a rival writer changed the same rows.
        StoreBusy: Postgres or S3 is away, or the disk is full.
        MissingPart: there is no such bucket, or it does not let us in.
        BadSetting: the catalog is not ours to use, or belongs to another lake.

    """
    import duckdb  # stores need this module too, and a store needs no DuckDB

    try:
        yield
    except duckdb.Error as failed:
        told = None if settings is None else explain(failed, settings)
        if told is None:
            raise
        raise told from None  # DuckDB's own message quotes the password


def explain(failed: "duckdb.Error", settings: Settings) -> FlywheelError | None:
    """Return our error for what DuckDB says, or None where it is about a statement."""
    import duckdb  # stores need this module too, and a store needs no DuckDB

    said = hidden(" ".join(str(failed).split()), settings.catalog)
    if _CONFLICT.search(said) and isinstance(failed, duckdb.TransactionException):
        return LakeBusy(settings.lake_root, _RETRIED_SECONDS)
    if settings.on_s3 and isinstance(failed, duckdb.IOException) and _S3_CALL.search(said):
        codes = _CODE.findall(
            said.rpartition(".parquet")[2]
        )  # the HTTP status, then S3's own word where there is one
        return explain_s3(settings.lake_root, codes[-1] if codes else "", said, settings)
    if settings.on_postgres and (told := _explain_postgres(said, settings)):
        return told
    if _FULL.search(said):
        return StoreBusy(settings.lake_root, "its disk is full, or fails; make room there")
    other = _OTHER_PLACE.search(said)
    if other:
        return BadSetting(
            "lake", settings.lake, f"{other[1].removesuffix('/tables/')!r}, where this catalog's rows are"
        )
    return None


def explain_s3(place: str, code: str, said: str, settings: Settings) -> FlywheelError:
    """Return our error for what S3 answered, a code and a text, or for its silence."""
    endpoint = settings.s3_endpoint or f"AWS, region {settings.s3_region}"
    if code == _NO_BUCKET:
        return MissingPart(f"The bucket of {place!r} at {endpoint}", "Create it, or change `lake` or `s3_endpoint`.")
    if code in _NO_ACCESS:
        return MissingPart(
            f"Access to {place!r} at {endpoint}",
            f"The store said {code}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, to keys that "
            "may read and write there.",
        )
    return StoreBusy(
        place, f"{said.rstrip('.')} (`s3_endpoint` is {endpoint}, `s3_use_ssl` is {settings.s3_use_ssl})"
    )


def _explain_postgres(said: str, settings: Settings) -> FlywheelError | None:
    catalog = hidden(settings.catalog, settings.catalog)
    reason = said.rpartition('":')[2].partition(" Is the server running")[0].strip() or "the connection was lost"
    is_connecting = "Unable to connect to Postgres" in said or "Failed to initialize DuckLake" in said
    if is_connecting and _NO_ENTRY.search(reason):
        return BadSetting("catalog", catalog, f"a Postgres database we may create tables in ({reason})")
    if _AWAY.search(said):
        return StoreBusy(catalog, f"{reason.removeprefix('ERROR: ').rstrip('.')} (is that where Postgres runs?)")
    return None
