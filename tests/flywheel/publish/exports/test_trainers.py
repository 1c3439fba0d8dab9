"""TRL's trainers load what was exported and collate a batch of it: in the oldest version we support and the newest.

Each has an environment of its own, made here; where that is not possible the reason is printed and the test skipped.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[4]
FORMS = ["trl-sft", "trl-dpo", "trl-kto", "trl-reward", "trl-sft-text", "trl-dpo-text", "trl-kto-text",
         "trl-reward-text", "rl"]  # fmt: skip
EXTRA = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["trl"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.xdist_group("trainers")]


def pip_setting(name: str) -> list[str]:
    """Return what pip is configured with: uv does not look there."""
    found = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", f"global.{name}"], capture_output=True, text=True, check=False
    )
    return found.stdout.split()


def environment(folder: Path, *packages: str) -> Path:
    """Return the Python of a fresh environment with packages, or skip with the reason why there is none."""
    uv = [sys.executable, "-m", "uv"]
    places = [part for place in pip_setting("find-links") for part in ("--find-links", place)]
    python = folder / "bin" / "python"
    for command in (
        [*uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
        [*uv, "pip", "install", "--quiet", "--python", str(python), *places, *packages],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"{packages} cannot be installed: {done.stderr[-300:]}")
    return python


def wanted(version: str) -> list[str]:
    """Return the packages of the extra, TRL in its oldest version or in the newest."""
    oldest = re.search(r"trl>=([\d.]+)", EXTRA[0])
    assert oldest, "the extra's first package is trl>=OLDEST"
    return [f"trl=={oldest[1]}" if version == "oldest" else "trl", *EXTRA[1:]]


@pytest.mark.parametrize("version", ["oldest", "newest"])
def test_trainers_collate_a_batch(
    version: str, export: Callable[..., tuple[Path, dict[str, Any]]], tmp_path: Path
) -> None:
    python = environment(tmp_path / "venv", *wanted(version))
    for form in FORMS:
        export(form, out=f"exported/{form}")
    collate = Path(__file__).with_name("collate.py")
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf"), "PYTHONDONTWRITEBYTECODE": "1"}
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, collate, tmp_path / "exported"], env=inherited | offline, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    sys.stdout.write(f"{json.dumps(found)}\n")
    assert set(FORMS) < set(found)
    assert found["trl-sft"]["labels"][0] == 2
    assert found["trl-dpo"]["completion_mask"][0] == 4  # chosen and rejected of two records
    assert found["trl-kto"]["label"] == [2] or found["trl-kto"]["label"] == 2
    assert found["trl-reward"]["input_ids"][0] == 4
    assert {"prompt", "reward_model", "extra_info"} <= set(found["rl"][0])
    assert set(found["rl rewards"]) <= {1.0, None}
