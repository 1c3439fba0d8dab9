"""Tell people: an event that automations act on, a file in the lake, and a webhook where there is no server."""

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime

from prefect import task
from prefect.events import emit_event
from prefect.settings import PREFECT_API_URL

from flywheel.core.errors import ProviderBusy
from flywheel.core.ids import content_id
from flywheel.core.settings import load_settings
from flywheel.core.storage import open_store

TIMEOUT_SECONDS = 10
GATE_REFUSED = "flywheel.gate.refused"
DRIFT_FOUND = "flywheel.drift.found"


@task(retries=2, retry_delay_seconds=2)
def raise_alert(event: str, subject: str, text: str) -> None:
    """Write the alert down once, emit it as a Prefect event and, without a server to act on it, post it."""
    body = {"event": event, "subject": subject, "text": text}
    settings = load_settings()
    name = f"alerts/{content_id(event, subject, text)}.json"
    is_new = open_store(settings).put_new(
        name, json.dumps(body | {"raised_at": datetime.now(UTC).isoformat()}).encode()
    )
    emit_event(event, resource={"prefect.resource.id": f"flywheel.{subject}", "flywheel.text": text}, payload=body)
    if is_new and settings.alert_webhook and not PREFECT_API_URL.value():
        _post(settings.alert_webhook, {"text": text})


def _post(url: str, body: dict[str, str]) -> None:
    request = urllib.request.Request(  # noqa: S310 - the URL is the operator's own setting
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
            pass
    except urllib.error.URLError as failed:
        raise ProviderBusy(url, f"the alert webhook failed: {failed}") from failed
