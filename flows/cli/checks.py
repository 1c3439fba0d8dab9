"""What doctor looks at around the lake: the install, providers, servers and data; each look is one `Check`."""

import platform
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from flywheel.core.errors import MissingPart

if TYPE_CHECKING:
    from flywheel.core.settings import Settings

_REACH_SECONDS = 5
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class State(StrEnum):
    """How a part stands: as it should be, absent where that is allowed, or in the way of work."""

    OK = "ok"
    MISSING = "missing"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    what: str
    state: State
    found: str
    todo: str = ""


def check_install() -> Iterator[Check]:
    """Yield how Python and the installed packages fit what this project declares."""
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    declared = metadata.metadata("flywheel")
    wanted = declared["Requires-Python"] or ""
    fits = SpecifierSet(wanted).contains(platform.python_version())
    todo = "" if fits else f"use a Python {wanted}"
    yield Check("python", State.OK if fits else State.BROKEN, f"{platform.python_version()} (needs {wanted})", todo)
    requirements = [Requirement(text) for text in metadata.requires("flywheel") or []]
    misfits = [text for requirement in requirements if (text := _misfit(requirement))]
    if not misfits:
        yield Check("packages", State.OK, f"{len(requirements)} as declared")
    for text in misfits:
        yield Check("packages", State.BROKEN, text, "install what requirements.lock pins")


def _misfit(requirement: object) -> str:
    """Return in words how an installed package differs from its requirement, or nothing."""
    from packaging.requirements import Requirement

    assert isinstance(requirement, Requirement)  # noqa: S101 - narrows the lazily imported type
    if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
        return ""
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return f"{requirement.name} is not installed (needs {requirement.specifier or 'any version'})"
    fits = requirement.specifier.contains(version, prereleases=True)
    return "" if fits else f"{requirement.name} {version} (needs {requirement.specifier})"


def check_surroundings(settings: "Settings") -> Iterator[Check]:
    """Yield what the wheel talks to, and what only tests and demos need."""
    yield _provider(settings)
    yield _prefect()
    webhook = bool(settings.alert_webhook)  # its address is a secret
    todo = "" if webhook else "set alert_webhook, so that somebody hears of refusals and drift"
    yield Check("alert webhook", State.OK if webhook else State.MISSING, "set" if webhook else "not set", todo)
    yield from _data_sets(settings)
    yield _browser()
    yield _postgres()


def _provider(settings: "Settings") -> Check:
    url = settings.llm_base_url
    if not url:
        return Check("model provider", State.OK, "none set: the local provider is started when needed")
    headers = {"Authorization": f"Bearer {settings.llm_api_key.get_secret_value()}"}
    problem = _unreachable(f"{url.rstrip('/')}/models", headers)
    if problem:
        return Check(
            "model provider", State.BROKEN, f"{url}: {problem}", "check llm_base_url and FLYWHEEL_LLM_API_KEY"
        )
    return Check("model provider", State.OK, f"{url} answers")


def _unreachable(url: str, headers: dict[str, str]) -> str:
    """Return why an address does not answer a GET, or nothing."""
    try:
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the operator's own setting
        with urllib.request.urlopen(request, timeout=_REACH_SECONDS):  # noqa: S310
            return ""
    except (OSError, ValueError) as failed:  # URLError is an OSError; ValueError: not an address
        return str(failed)


def _prefect() -> Check:
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    if not url:
        return Check("prefect", State.OK, "no server named: a temporary one is started per command")
    problem = _unreachable(f"{url.rstrip('/')}/health", {})
    if problem:
        return Check("prefect", State.BROKEN, f"{url}: {problem}", "start it (flywheel up), or unset PREFECT_API_URL")
    return Check("prefect", State.OK, f"{url} answers")


def _data_sets(settings: "Settings") -> Iterator[Check]:
    from flywheel.scenario.datasets import SETS, find

    for name in SETS:
        found = find(name, settings.data, settings.cache.expanduser())
        if found:
            yield Check(f"data set {name}", State.OK, str(found.path))
        else:
            yield Check(
                f"data set {name}", State.MISSING, "not here; only demos need it", f"flywheel data fetch {name}"
            )


def _browser() -> Check:
    path = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if path:
        return Check("browser", State.OK, path)
    return Check("browser", State.MISSING, "no chromium; only tests need it", "install chromium")


def _postgres() -> Check:
    try:
        folder = Path(_postgres_programs())
    except MissingPart as missing:
        return Check("postgres", State.MISSING, "no programs; only tests need them", str(missing))
    return Check("postgres", State.OK, str(folder))


def _postgres_programs() -> str:
    """Return the folder with initdb and pg_ctl, which are seldom on the PATH."""
    initdb, config = shutil.which("initdb"), shutil.which("pg_config")
    if initdb:
        return str(Path(initdb).parent)
    if config:
        told = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
        if told and (Path(told) / "initdb").exists():
            return told
    raise MissingPart("PostgreSQL", "Install postgresql.")
