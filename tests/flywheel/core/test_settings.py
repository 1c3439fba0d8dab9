"""flywheel.toml, then the environment, then arguments; what is not a setting is refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from flywheel.core.settings import Settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults_need_no_file(folder: Path) -> None:
    settings = Settings()
    assert settings.lake == "./data"
    assert settings.lake_root == str(folder / "data")
    assert settings.control_folder == folder / "data"
    assert not settings.on_s3
    assert not settings.on_postgres


def test_environment_wins_over_file_and_arguments_over_both(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "flywheel.toml").write_text('lake = "of-file"\ndataset = "of-file"\ndaily_budget = 7\n')
    monkeypatch.setenv("FLYWHEEL_LAKE", "of-environment")
    monkeypatch.setenv("FLYWHEEL_DATASET", "of-environment")
    settings = Settings(dataset="of-argument")
    assert (settings.lake, settings.dataset, settings.daily_budget) == ("of-environment", "of-argument", 7)


def test_unknown_key_is_refused(folder: Path) -> None:
    (folder / "flywheel.toml").write_text("dialy_budget = 7\n")
    with pytest.raises(ValidationError, match="dialy_budget"):
        Settings()


@pytest.mark.parametrize(
    ("name", "value"), [("daily_budget", "0"), ("run_budget_usd", "0"), ("s3_use_ssl", "perhaps")]
)
def test_value_that_cannot_work_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"FLYWHEEL_{name.upper()}", value)
    with pytest.raises(ValidationError, match=name):
        Settings()


def test_key_is_not_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_LLM_API_KEY", "sk-very-secret")
    settings = Settings()
    assert settings.llm_api_key.get_secret_value() == "sk-very-secret"
    assert "sk-very-secret" not in repr(settings) + settings.model_dump_json()


def test_settings_do_not_change(folder: Path) -> None:
    settings = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.lake = "elsewhere"  # type: ignore[misc]


def test_lake_on_s3_keeps_control_on_this_machine(folder: Path) -> None:
    settings = Settings(lake="s3://bucket/prefix/", catalog="postgres:dbname=lake")
    assert settings.on_s3
    assert settings.on_postgres
    assert settings.lake_root == "s3://bucket/prefix"
    assert settings.control_folder == folder / ".flywheel"
    assert Settings(lake="s3://bucket", control=Path("here")).control_folder == folder / "here"
