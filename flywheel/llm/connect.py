"""Connect to the provider that settings name, or start the local one for as long as it is needed."""

from collections.abc import Iterator
from contextlib import contextmanager

from flywheel.core.settings import Settings
from flywheel.llm.client import Provider
from flywheel.llm.ledger import Ledger


@contextmanager
def connected(settings: Settings) -> Iterator[Provider]:
    """Yield the provider of `llm_base_url`; with none set the local one: running already, or for this block."""
    from flywheel.llm.local.server import LocalProvider, running_at

    folder = settings.control_folder / "local-models"
    with Ledger(settings.control_folder / "ledger.sqlite") as ledger:
        if settings.llm_base_url:
            yield Provider(settings.llm_base_url, settings.llm_api_key.get_secret_value(), ledger)
        elif (base_url := running_at(folder)) is not None:
            yield Provider(base_url, "local", ledger)
        else:
            with LocalProvider(folder) as local:
                yield Provider(local.base_url, "local", ledger)
