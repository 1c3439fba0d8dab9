"""Commands that run things: the demo, everything at once, and the local models."""

import os
from pathlib import Path

import click

from flows.cli import show
from flows.cli.commands import Command
from flows.cli.opened import json_option, read_settings
from flows.cli.quiet import start_prefect

_MODELS_PORT, _UP_PORT = 8100, 4200  # 4200 is where Prefect is looked for
_RECEIVE_PORT = 4318  # where exporters of OTLP over HTTP send to unless told otherwise
_LOOPBACK = "127.0.0.1"


@click.command(cls=Command)
@json_option
@click.option("--lake", help="Folder of the demo's lake; default: the demo's own choice.")
@click.option("--scenario", "is_scenario", is_flag=True, help="Only the simulated product, no public data.")
def demo(is_json: bool, lake: str | None, is_scenario: bool) -> int:
    """Turn the wheel on a product whose failures are known, and show what it found and learned.

    Example:
      flywheel demo --lake /tmp/wheel
      flywheel demo --scenario --json
    """
    if lake:
        from flywheel.core.settings import load_settings

        os.environ["FLYWHEEL_LAKE"] = lake
        load_settings.cache_clear()
    with show.working("starting Prefect"):
        # not beside the lake: the demo plays in an empty folder
        start_prefect(read_settings().cache.expanduser() / "prefect-server.log")
    from flows.demo.command import run_demo

    return run_demo(is_json, is_scenario)


@click.command(cls=Command)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=_UP_PORT, show_default=True, help="Port of the Prefect server."
)
@click.option(
    "--receive-port",
    type=click.IntRange(0, 65535),
    default=_RECEIVE_PORT,
    show_default=True,
    help="Port for spans and feedback; 0: none.",
)
def up(port: int, receive_port: int) -> None:
    """Start everything on this machine: Prefect with its schedules, a worker, the local models, the receiver.

    Example:
      flywheel up --port 4200
      flywheel up --receive-port 0
    """
    read_settings()
    from flows.up import bring_up

    bring_up(port, receive_port)


@click.command(cls=Command)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=_RECEIVE_PORT, show_default=True, help="Port to listen on."
)
@click.option("--host", default=_LOOPBACK, show_default=True, help="Address to listen on; others need a token.")
def receive(port: int, host: str) -> None:
    """Take spans, log records and feedback over HTTP until interrupted; a 200 means that they are in the lake.

    Example:
      flywheel receive --port 4318
      FLYWHEEL_RECEIVE_TOKEN=secret flywheel receive --host 0.0.0.0
    """
    settings = read_settings()
    from flywheel.ingest.receiver import check_entry, run

    check_entry(settings, host)
    click.echo(f"Receiving at http://{host}:{port}/v1/traces, /v1/logs and /v1/feedback (Ctrl-C ends it)", err=True)
    run(settings, host, port)


@click.command("serve-models", cls=Command)
@click.option("--port", type=click.IntRange(0, 65535), default=_MODELS_PORT, show_default=True, help="0: a free one.")
@click.option("--host", default=_LOOPBACK, show_default=True, help="Address to listen on.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where models, files and jobs are kept; default: beside the lake.",
)
def serve_models(port: int, host: str, folder: Path | None) -> None:
    """Serve the local, OpenAI-compatible models until interrupted; no key, no network.

    Example:
      flywheel serve-models --port 8100
      FLYWHEEL_LLM_BASE_URL=http://127.0.0.1:8100/v1 flywheel correct
    """
    folder = folder or read_settings().control_folder / "local-models"
    if port:
        click.echo(f"Serving models of {folder} at http://{host}:{port}/v1 (Ctrl-C ends it)", err=True)
    else:
        click.echo(
            f"Serving models of {folder}; {folder / 'server.json'} says on which port (Ctrl-C ends it)", err=True
        )
    from flywheel.llm.local.server import run

    run(folder, host, port)
