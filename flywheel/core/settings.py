"""What differs between environments: flywheel.toml first, then FLYWHEEL_* variables over it."""

import re
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from flywheel.core.errors import BadSetting
from flywheel.core.mappings import Mapping

HOME = Path(__file__).resolve().parents[2]  # the checkout: sql/ and expectations/ are read from here

# a password in Postgres' two ways to say where a database is: key=value, and a URI
_PASSWORD = re.compile(r"(?<![^\s?&:])(?:ssl)?password\s*=\s*('(?:[^'\\]|\\.)*'|[^\s&]+)[\s&]?")
_URI_PASSWORD = re.compile(r"(?<=//)([^:/@\s]*):(\S*)@")


def without_password(catalog: str) -> str:
    """Return a Postgres connection string without its password: PGPASSWORD or ~/.pgpass can give it instead."""
    return _URI_PASSWORD.sub(r"\1@", _PASSWORD.sub("", catalog)).rstrip(" ?&")


def hidden(text: str, catalog: str) -> str:
    """Return a text in which the password of a Postgres connection string reads '***'."""
    found = [match[1].strip("'") for match in _PASSWORD.finditer(catalog)]
    found += [match[2] for match in _URI_PASSWORD.finditer(catalog)]
    spelt = {form for password in found for form in (password, unquote(password), password.replace("'", "''"))}
    for password in sorted(spelt - {""}, key=len, reverse=True):
        text = text.replace(password, "***")
    return text


class Settings(BaseSettings):
    """Where things are and what they are called; decisions with a reason live as dataclass defaults instead."""

    model_config = SettingsConfigDict(env_prefix="FLYWHEEL_", toml_file="flywheel.toml", extra="forbid", frozen=True)

    lake: str = Field("./data", description="a folder or s3://bucket/prefix: tables, releases, reports")
    catalog: str = Field(
        "", repr=False, description="'' = SQLite in the control folder; or 'postgres:dbname=... host=...'"
    )
    control: Path | None = Field(None, description="folder for locks, ledger and SQLite catalog; default: lake")
    data: Path | None = Field(None, description="a folder that holds the public data sets")
    cache: Path = Field(
        Path("~/.cache/flywheel"), validate_default=True, description="downloads that can be repeated"
    )

    s3_endpoint: str = Field("", description="host:port of an S3 server that is not AWS")
    s3_region: str = Field("us-east-1", description="region of the bucket")
    s3_use_ssl: bool = Field(True, description="false for a server on loopback")

    single_publisher: bool = Field(
        False, description="publish to a store that cannot create a key only once: nobody else may publish there"
    )

    dataset: str = Field("corrections", description="name of the dataset that publish makes releases of")
    licence: str = Field("as the logs it was made from", description="what a release's manifest says of its licence")
    consent: str = Field(
        "", description="what it says of the ground the data is used on, e.g. 'terms of 2026-01, opt-outs left out'"
    )
    signing_key: Path | None = Field(None, description="secret key that signs releases, made by `minisign -G -W`")
    trusted_keys: tuple[str, ...] = Field(
        (), description="public keys (RW...) one of which must have signed a release for `verify` to pass"
    )
    logs: str = Field("logs", description="folder that scheduled ingest reads: one sub-folder or file per day")
    signals_folder: Path | None = Field(None, description="a folder with signals of your own, one SQL file each")
    llm_base_url: str = Field("", description="OpenAI-compatible endpoint; '' = the local provider")
    llm_api_key: SecretStr = Field(SecretStr("local"), description="key for that endpoint")
    base_model: str = Field("wheel-small", description="model that improve fine-tunes when none is promoted yet")
    teacher_model: str = Field("", description="model that corrects hard examples; '' = people only")
    note_model: str = Field("", description="model that writes failure notes and names modes; '' = from the evidence")
    embedding_model: str = Field("", description="model that embeds failure notes; '' = TF-IDF and SVD")
    daily_budget: int = Field(200, ge=1, description="hard examples chosen per day")
    human_budget: int = Field(60, ge=0, description="of these, how many people can answer per day")
    audit_share: float = Field(
        0.10, ge=0, description="random traces per day that people check whatever they look like / daily_budget"
    )
    learn_from_feedback: bool = Field(
        False, description="take edits and demonstrations in the log for people's corrections: trusts its authors"
    )
    run_budget_usd: float = Field(5.0, gt=0, description="hard stop for paid calls in one run of correct")
    receive_token: SecretStr = Field(
        SecretStr(""), description="what senders to `flywheel receive` must show; '' = only this machine may send"
    )
    receive_limit_mb: int = Field(
        16, ge=1, le=512, description="largest request it takes, before and after unpacking"
    )
    undated_at: str = Field(
        "2000-01-01T00:00:00Z", description="time of calls whose log tells none; a mapping may have its own"
    )
    mappings: dict[str, Mapping] = Field({}, description="which column means what in other logs; docs/formats.md")
    redact_names: bool = Field(False, description="also replace people's names; needs flywheel[privacy], and is slow")
    names_model: str = Field("en_core_web_lg", description="spaCy model that finds them")
    alert_webhook: str = Field("", description="URL that alerts are posted to, Slack-compatible")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let arguments win over the environment and the environment over flywheel.toml."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @field_validator("lake")
    @classmethod
    def _check_lake(cls, lake: str) -> str:
        bucket = lake.removeprefix("s3://")
        if ("://" in lake and bucket == lake) or not bucket.strip("/"):
            raise BadSetting("lake", lake, "a folder or s3://bucket/prefix")
        return lake

    @field_validator("catalog")
    @classmethod
    def _check_catalog(cls, catalog: str) -> str:
        if catalog and not catalog.startswith("postgres:"):
            raise BadSetting("catalog", hidden(catalog, catalog), "'' or postgres:dbname=... host=...")
        return catalog

    @field_validator("s3_endpoint")
    @classmethod
    def _check_endpoint(cls, endpoint: str) -> str:
        if "/" in endpoint:
            raise BadSetting("s3_endpoint", endpoint, "host or host:port; http or https is said by s3_use_ssl")
        return endpoint

    @field_validator("undated_at")
    @classmethod
    def _check_undated(cls, undated_at: str) -> str:
        try:
            datetime.fromisoformat(undated_at)
        except ValueError as broken:
            raise BadSetting("undated_at", undated_at, "a time such as 2024-05-01T00:00:00Z") from broken
        return undated_at

    @field_validator("mappings")
    @classmethod
    def _check_mappings(cls, mappings: dict[str, Mapping]) -> dict[str, Mapping]:
        for name, mapping in mappings.items():
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise BadSetting("mappings", name, "a name of small letters, digits and _")
            mapping.compiled(name)
        return mappings

    @property
    def on_s3(self) -> bool:
        """Whether objects live on S3 rather than in a folder."""
        return self.lake.startswith("s3://")

    @property
    def lake_root(self) -> str:
        """The lake without a trailing slash; a folder as an absolute path."""
        if self.on_s3:
            return self.lake.rstrip("/")
        return str(Path(self.lake).expanduser().resolve())

    @property
    def control_folder(self) -> Path:
        """The folder of lock files, the spend ledger and an embedded catalog; always local."""
        if self.control is not None:
            return self.control.expanduser().resolve()
        return Path(".flywheel").resolve() if self.on_s3 else Path(self.lake_root)

    @property
    def catalog_file(self) -> Path:
        """Where an embedded catalog is."""
        return self.control_folder / "catalog.sqlite"

    @property
    def on_postgres(self) -> bool:
        """Whether the catalog is in Postgres, which takes concurrent writers as it is."""
        return self.catalog.startswith("postgres:")


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """Read settings once per process."""
    return Settings()
