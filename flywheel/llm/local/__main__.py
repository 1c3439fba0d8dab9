"""Run the local provider: python -m flywheel.llm.local --folder models --port 8100."""

import argparse
import json
import sys
from pathlib import Path

from flywheel.core.errors import UsageError
from flywheel.llm.local.server import LOOPBACK, run


def main() -> int:
    """Read the command line and serve; return 2 when it asked for something impossible."""
    parser = argparse.ArgumentParser(prog="flywheel.llm.local", description="An OpenAI-compatible server.")
    parser.add_argument("--folder", type=Path, required=True, help="where files, jobs and models are kept")
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on; loopback unless told")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--faults", type=json.loads, default={}, help="fault switches as JSON")
    parser.add_argument("--parent", type=int, help="stop when this process is no longer the parent")
    asked = parser.parse_args()
    try:
        run(asked.folder, asked.host, asked.port, asked.faults, asked.parent)
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
