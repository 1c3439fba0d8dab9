"""The `flywheel` command: what it offers, and how an error becomes one line and an exit code.

Nothing heavy is imported here; a command's module comes in when the command is called.
"""

import os
import sys
from collections.abc import Sequence

import click

from flows.cli.commands import Lazy, LazyGroup
from flows.cli.quiet import calm_prefect
from flywheel import __version__
from flywheel.core.errors import FlywheelError, UsageError

EXIT_NO, EXIT_WRONG_CALL, EXIT_INTERRUPTED = 1, 2, 130  # 130 = 128 + SIGINT, as shells have it

_DEBUG = "FLYWHEEL_DEBUG"


class _Flywheel(LazyGroup):
    sections = {  # noqa: RUF012 - a constant of the class
        "Start": {
            "init": Lazy(
                "flows.cli.init:init", "Write a commented flywheel.toml; with --example, logs to try it on."
            ),
            "doctor": Lazy(
                "flows.cli.doctor:doctor", "Show what is configured, reachable or missing, and what to do."
            ),
            "demo": Lazy("flows.cli.serve:demo", "Turn the wheel on a simulated product and show what it learned."),
            "up": Lazy("flows.cli.serve:up", "Start Prefect, its schedules, a worker and the local models."),
        },
        "Turn the wheel": {
            "ingest": Lazy("flows.cli.ingest:ingest", "Read what is new in logs into the lake."),
            "mine": Lazy("flows.cli.stages:mine", "Find failures, name their modes, choose and route hard examples."),
            "route": Lazy("flows.cli.stages:route", "Decide who corrects each hard example."),
            "correct": Lazy("flows.cli.correct:correct", "Collect corrections from models and people."),
            "publish": Lazy("flows.cli.stages:publish", "Publish the next release, if it keeps its promises."),
            "improve": Lazy(
                "flows.cli.stages:improve", "Fine-tune on the newest release; promote it if it is better."
            ),
            "watch": Lazy("flows.cli.stages:watch", "Compare a day's traffic with the days before."),
        },
        "Look": {
            "sources": Lazy(
                "flows.cli.ingest:sources", "List the logs that were read, how far, and what became of them."
            ),
            "queue": Lazy("flows.cli.look:queue", "Show what waits for people."),
            "modes": Lazy("flows.cli.modes:modes", "Show a day's failure modes, one of them, or a page of all."),
            "signals": Lazy("flows.cli.signals:signals", "Show how often each signal fires, and what it weighs."),
            "hard-examples": Lazy(
                "flows.cli.hard_examples:hard_examples", "Show what was chosen for correction, why, and its route."
            ),
            "gate": Lazy("flows.cli.look:gate", "Show what the last candidate release was held to."),
            "decontaminate": Lazy(
                "flows.cli.decontaminate:decontaminate", "Find benchmark questions in what is to be trained on."
            ),
            "log-changes": Lazy("flows.cli.log_changes:log_changes", "Show what changed about the logs' fields."),
            "quarantine": Lazy("flows.cli.quarantine:quarantine", "Show what was refused, and why."),
        },
        "Keep": {
            "forget": Lazy("flows.cli.forget:forget", "Remove a person or a call from the live lake."),
            "lake": Lazy("flows.cli.lake:lake", "Check the lake's files, repair them, gather small ones."),
        },
        "Query": {
            "sql": Lazy("flows.cli.query:sql", "Run one SQL statement on the lake and its releases."),
            "shell": Lazy("flows.cli.query:shell", "Open an SQL prompt on the lake and its releases."),
            "attach": Lazy("flows.cli.query:attach", "Print the SQL by which any DuckDB attaches this lake."),
            "releases": Lazy("flows.cli.releases:releases", "List, show, tag and verify releases."),
        },
        "Serve": {
            "receive": Lazy("flows.cli.serve:receive", "Receive OpenTelemetry spans and feedback over HTTP."),
            "data": Lazy("flows.cli.data:data", "List and fetch the public data sets that demos use."),
            "serve-models": Lazy("flows.cli.serve:serve_models", "Serve the local, OpenAI-compatible models."),
        },
    }


@click.command(cls=_Flywheel, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 118})
@click.version_option(__version__, prog_name="flywheel")
@click.option("--debug", is_flag=True, help="Show the traceback of an error (or set FLYWHEEL_DEBUG=1).")
@click.option("--verbose", is_flag=True, help="Show what Prefect has to say about each run.")
def cli(debug: bool, verbose: bool) -> None:
    """Turn an LLM application's production failures into its next model.

    Example:
      flywheel init --example
      flywheel ingest logs/example.jsonl
      flywheel mine
      flywheel correct --answers answers.jsonl
      flywheel publish
    """
    if debug:
        os.environ[_DEBUG] = "1"
    calm_prefect(is_verbose=verbose)


def main(args: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 when the data said no, 2 when the call was wrong, 130 when interrupted."""
    try:
        code = cli.main(args, prog_name="flywheel", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as wrong:
        wrong.show()
        return wrong.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("flywheel: interrupted; what was committed stays, and running it again goes on.", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # whoever read our output has seen enough; Python would complain once more when it closes stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _explain(error)
    return code if isinstance(code, int) else 0


def _explain(error: Exception) -> int:
    """Write an error as one line, after its traceback if that was asked for; return the exit code."""
    if os.environ.get(_DEBUG, "0") not in ("", "0"):
        import traceback

        traceback.print_exception(error)
    if isinstance(error, FlywheelError):
        click.echo(f"flywheel: {error}", err=True)
        return EXIT_WRONG_CALL if isinstance(error, UsageError) else EXIT_NO
    told = " ".join(str(error).split()) or "no message"
    click.echo(
        f"flywheel: unexpected {type(error).__name__}: {told}. `flywheel doctor` may show the cause; if not, please "
        "report this with the traceback that `flywheel --debug ...` prints.",
        err=True,
    )
    return EXIT_NO


if __name__ == "__main__":
    sys.exit(main())
