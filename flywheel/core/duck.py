"""The one place that opens DuckDB: extensions from wheels, credentials from settings."""

import duckdb
from duckdb_extensions import import_extension

from flywheel.core.errors import MissingPart
from flywheel.core.queries import macro_statements
from flywheel.core.settings import Settings, without_password

_MEMORY_LIMIT = "1.25GB"  # DuckDB's default is 80 % of the machine; what does not fit goes to disk beside the lake
# Rows a thread holds before it writes them to the files of their days: one row group. DuckDB's own 524,288 rows of
# text do not fit beside each other into that memory: they were spilled and read again, which doubled the CPU.
_ROWS_BEFORE_WRITING = 122_880

_verified: set[str] = set()  # extensions whose signature DuckDB has checked in this process


def quoted(text: str) -> str:
    """Return a SQL string literal; for the few statements that take no parameters (attach, set)."""
    return "'" + text.replace("'", "''") + "'"


def _load_all(connection: duckdb.DuckDBPyConnection, extensions: list[str]) -> None:
    """Load what the lake needs, and let nothing unsigned in after that."""
    for extension in extensions:
        _load(connection, extension)
    _verified.update(extensions)
    connection.execute("set allow_unsigned_extensions = false")  # DuckDB lets nobody set it back


def _load(connection: duckdb.DuckDBPyConnection, extension: str) -> None:
    """Load an extension that is installed already, else copy it from its wheel, else install it online."""
    try:
        connection.execute(f"load {extension}")
    except duckdb.Error:
        try:
            import_extension(extension)
            connection.execute(f"load {extension}")
        except (ImportError, OSError, RuntimeError, duckdb.Error) as missing:
            raise MissingPart(
                f"DuckDB's extension {extension!r}",
                f"Install the wheel: pip install duckdb-extension-{extension.replace('_', '-')}"
                f"=={duckdb.__version__}.",
            ) from missing


def _s3_secret(settings: Settings) -> str:
    """Return the statement that lets DuckDB read S3: keys from the usual AWS chain, endpoint by settings."""
    import botocore.session

    found = botocore.session.get_session().get_credentials()
    if found is None:
        raise MissingPart(
            f"A key for {settings.lake!r}", "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
        )
    frozen = found.get_frozen_credentials()
    parts = ["type s3", f"region {quoted(settings.s3_region)}"]
    parts += [f"key_id {quoted(frozen.access_key)}", f"secret {quoted(frozen.secret_key)}"]
    if frozen.token:
        parts.append(f"session_token {quoted(frozen.token)}")
    if settings.s3_endpoint:
        parts += [f"endpoint {quoted(settings.s3_endpoint)}", "url_style 'path'"]
    parts.append(f"use_ssl {'true' if settings.s3_use_ssl else 'false'}")
    return f"create or replace secret flywheel_s3 ({', '.join(parts)})"


def plain_duckdb(*, is_verified: bool = False) -> duckdb.DuckDBPyConnection:
    """Return an in-memory DuckDB whose clock is in UTC and that knows the macros of sql/macros/.

    `is_verified` spares it checking the signatures of extensions, which takes 0.2 s each.
    """
    connection = duckdb.connect(config={"allow_unsigned_extensions": is_verified})
    connection.execute("set global timezone = 'UTC'")
    for statement in macro_statements():
        connection.execute(statement)
    return connection


def open_duckdb(settings: Settings, *others: Settings) -> duckdb.DuckDBPyConnection:
    """Return an in-memory DuckDB with what the lake needs loaded; it holds no state of its own.

    Catalogs of other settings can be attached as well.

    Raises:
        MissingPart: an extension is neither installed nor shipped as a wheel, or there are no keys for S3.

    """
    catalogs = {"postgres_scanner" if one.on_postgres else "sqlite_scanner" for one in (settings, *others)}
    extensions = ["ducklake", *sorted(catalogs)]
    extensions += ["httpfs"] if settings.on_s3 else []
    connection = plain_duckdb(is_verified=_verified.issuperset(extensions))
    connection.execute(f"set memory_limit = '{_MEMORY_LIMIT}'")
    connection.execute(f"set partitioned_write_flush_threshold = {_ROWS_BEFORE_WRITING}")
    connection.execute(f"set temp_directory = {quoted(str(settings.control_folder / 'spilled'))}")
    _load_all(connection, extensions)
    if settings.on_s3:
        connection.execute(_s3_secret(settings))
    return connection


def attach_statement(settings: Settings, *, show_secrets: bool = True) -> str:
    """Return the statement by which any DuckDB attaches this lake, with or without our code.

    `show_secrets=False` leaves the catalog's password out, for what gets printed: PGPASSWORD or ~/.pgpass gives it.
    """
    if settings.on_postgres:
        catalog = settings.catalog if show_secrets else without_password(settings.catalog)
        options = []
    else:
        catalog = f"sqlite:{settings.catalog_file}"
        options = ["meta_journal_mode 'WAL'", "meta_busy_timeout 5000"]
        if str(settings.control_folder) == settings.lake_root:
            options.append("override_data_path true")  # files beside their catalog stay its own when the folder moves
    options.insert(0, f"data_path {quoted(settings.lake_root + '/tables/')}")
    return f"attach {quoted('ducklake:' + catalog)} as lake ({', '.join(options)})"
