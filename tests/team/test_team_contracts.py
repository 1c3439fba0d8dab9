"""The tests of the embedded lake, its objects and its releases, the same functions, wherever these are."""

import importlib.util
import inspect
from pathlib import Path
from types import FunctionType

import pytest

from flywheel.core.settings import Settings
from flywheel.core.storage import S3Store, open_store

pytestmark = [pytest.mark.team, pytest.mark.slow, pytest.mark.xdist_group("team")]

_CORE = Path(__file__).parents[1] / "flywheel" / "core"
_ABOUT_FOLDERS = {"test_failed_put_leaves_the_older_object"}  # breaks off in the middle of writing a file
_OURS = {"lake", "settings", "rows_for", "store"}  # what a test of a contract may ask for; the rest is about folders


def contract_tests(module: str) -> dict[str, FunctionType]:
    """Return the tests of a module that ask for nothing but a lake or a store, by a name that says where from."""
    spec = importlib.util.spec_from_file_location(f"contract_{module}", _CORE / f"{module}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    found = {}
    for name, test in vars(loaded).items():
        if name.startswith("test_") and isinstance(test, FunctionType):
            given = {word for mark in getattr(test, "pytestmark", []) for word in _words(mark)}
            if (
                name not in _ABOUT_FOLDERS
                and set(inspect.signature(test).parameters) - given <= _OURS
                and "Watched" not in _body(test)
            ):
                found[f"{name}_as_in_{module.removeprefix('test_')}"] = test
    return found


def _words(mark: pytest.Mark) -> list[str]:
    named = mark.args[0] if mark.name == "parametrize" else []
    return [word.strip() for word in named.split(",")] if isinstance(named, str) else list(named)


def _body(test: FunctionType) -> str:
    """Return a test without its first line; what watches a folder's writes says so in it."""
    lines = inspect.getsource(test).replace(".written", "Watched").replace("tmp_path", "Watched")
    return lines.partition("-> None:")[2]


@pytest.fixture
def store(s3_settings: Settings) -> S3Store:
    found = open_store(s3_settings)
    assert isinstance(found, S3Store)
    return found


globals().update(contract_tests("test_lake") | contract_tests("test_storage") | contract_tests("test_releases"))


def test_contracts_are_found() -> None:
    """A renamed fixture must not make the contract empty."""
    assert len(contract_tests("test_lake")) >= 12
    assert len(contract_tests("test_storage")) >= 3
    assert len(contract_tests("test_releases")) >= 15
