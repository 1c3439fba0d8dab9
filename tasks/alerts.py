"""Tell people: an event that automations act on, a file in the lake, and a webhook where there is no server."""

import json
import urllib.request
from datetime import UTC, datetime
from http.client import HTTPException

from prefect import task
from prefect.events import emit_event
from prefect.settings import PREFECT_API_URL

from flywheel.core.errors import ProviderBusy
from flywheel.core.ids import content_id
from flywheel.core.settings import load_settings
from flywheel.core.storage import Store, open_store
from tasks.running import is_transient

TIMEOUT_SECONDS = 10
GATE_REFUSED = "flywheel.gate.refused"
DRIFT_FOUND = "flywheel.drift.found"


@task(retries=2, retry_delay_seconds=2, retry_condition_fn=is_transient)
def raise_alert(event: str, subject: str, text: str) -> None:
    """Emit the alert as a Prefect event, post it where no server acts on that event, and write it down.

    What was written down is not raised again; it is written last, so that a webhook that was away is tried again.
    """
    body = {"event": event, "subject": subject, "text": text}
    settings = load_settings()
    store, name = open_store(settings), f"alerts/{content_id(event, subject, text)}.json"
    if _is_raised(store, name):
        return
    emit_event(event, resource={"prefect.resource.id": f"flywheel.{subject}", "flywheel.text": text}, payload=body)
    if settings.alert_webhook and not PREFECT_API_URL.value():
        _post(settings.alert_webhook, {"text": text})
    store.put_new(name, json.dumps(body | {"raised_at": datetime.now(UTC).isoformat()}).encode())


def _is_raised(store: Store, name: str) -> bool:
    try:
        store.read(name)
    except FileNotFoundError:
        return False
    return True


def _post(url: str, body: dict[str, str]) -> None:
    request = urllib.request.Request(  # noqa: S310 - the URL is the operator's own setting
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
            pass
    except (OSError, HTTPException) as failed:
        # the address is a credential on Slack and the like: it stays out of logs
        raise ProviderBusy("the alert webhook", f"{type(failed).__name__}: {failed}") from failed
