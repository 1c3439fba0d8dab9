"""Prefect puts a flow file's folder first on sys.path and hides failed imports: neither may surprise us."""

import sys
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
OURS = {"flywheel", "flows", "tasks"}


def importable_names() -> set[str]:
    """Return every top-level module that may be imported, ours left out."""
    return ({*sys.stdlib_module_names, *packages_distributions()} - OURS) | {"__main__"}


def flow_names(folder: Path) -> list[str]:
    """Return what a flows folder first on sys.path makes importable."""
    names = [path.stem for path in folder.glob("*.py")] + [path.name for path in folder.iterdir() if path.is_dir()]
    return sorted(name for name in names if not name.startswith("__"))


def shadowing(names: Iterable[str]) -> list[str]:
    return sorted(set(names) & importable_names())


def test_no_flow_shadows_a_module() -> None:
    names = flow_names(ROOT / "flows")
    assert "cli" in names
    assert shadowing(names) == []


@pytest.mark.parametrize("name", ["queue", "prefect", "yaml", "duckdb"])
def test_a_shadow_is_found(name: str) -> None:
    assert shadowing(["mine", name]) == [name]


def entrypoints() -> list[str]:
    path = ROOT / "prefect.yaml"
    if not path.exists():
        return []
    return [deployment["entrypoint"] for deployment in yaml.safe_load(path.read_text())["deployments"]]


def test_each_file_with_a_flow_is_deployed() -> None:
    if not (ROOT / "prefect.yaml").exists():
        pytest.skip("prefect.yaml does not exist yet")
    deployed = {entrypoint.split(":")[0] for entrypoint in entrypoints()}
    with_flow = {f"flows/{path.name}" for path in (ROOT / "flows").glob("*.py") if "\n@flow" in path.read_text()}
    assert with_flow == deployed


@pytest.mark.parametrize("entrypoint", entrypoints())
def test_entrypoint_loads(entrypoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.flows import Flow, load_flow_from_entrypoint

    monkeypatch.chdir(ROOT)
    flow = load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)
    assert isinstance(flow, Flow)
    assert flow.fn.__doc__
