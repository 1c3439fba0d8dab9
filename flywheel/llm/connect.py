"""Connect to the provider that settings name, or start the local one for as long as it is needed."""

from collections.abc import Iterator
from contextlib import contextmanager

from flywheel.core.settings import Settings
from flywheel.llm.client import Provider
from flywheel.llm.ledger import Ledger


@contextmanager
def connected(settings: Settings) -> Iterator[Provider]:
    """Yield the provider of `llm_base_url`; with none set, a local provider that ends with the block."""
    from flywheel.llm.local.server import LocalProvider

    with Ledger(settings.control_folder / "ledger.sqlite") as ledger:
        if settings.llm_base_url:
            yield Provider(settings.llm_base_url, settings.llm_api_key.get_secret_value(), ledger)
        else:
            with LocalProvider(settings.control_folder / "local-models") as local:
                yield Provider(local.base_url, "local", ledger)
