"""The stage the demo plays on: a fresh lake, the local provider, settings that point at both."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flywheel.core.errors import UsageError
from flywheel.core.settings import Settings, load_settings
from flywheel.llm.client import Provider
from flywheel.llm.ledger import Ledger
from flywheel.llm.local.server import LocalProvider

MARK = "demo.txt"  # a lake with this file was made by the demo and may be made again


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demo's files are, and the world's own door to the models, with a ledger that is not the loop's."""

    folder: Path
    logs: Path
    world_provider: Provider


def use_settings(**values: object) -> Settings:
    """Set FLYWHEEL_* for this process and read the settings again."""
    os.environ.update({f"FLYWHEEL_{name.upper()}": str(value) for name, value in values.items()})
    load_settings.cache_clear()
    return load_settings()


@contextmanager
def fresh_stage() -> Iterator[Stage]:
    """Empty the demo's lake and start the local provider for as long as the block lasts.

    Raises:
        UsageError: the lake holds data that no demo made.

    """
    settings = load_settings()
    if settings.on_s3:
        raise UsageError(
            f"The demo plays in a folder; FLYWHEEL_LAKE is {settings.lake!r}. Unset it or name a folder."
        )
    folder = Path(settings.lake_root)
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise UsageError(f"{str(folder)!r} holds data that no demo made. Name another folder with --lake.")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "logs").mkdir(parents=True)
    (folder / MARK).write_text("Made by `flywheel demo`; the next demo empties this folder.\n")
    with LocalProvider(folder / "models") as local, Ledger(folder / "world-ledger.sqlite") as ledger:
        use_settings(llm_base_url=local.base_url, lake=folder)
        yield Stage(folder, folder / "logs", Provider(local.base_url, "local", ledger))
