"""What is done by hand, beside the Luigi tasks."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("dbt", help="dbt on the pipeline's database, e.g.: dbt show -s rpt_top_tracks")
    alert = commands.add_parser("alert", help="tell Slack that a slot ended with an exit code (cron/run.sh does)")
    alert.add_argument("--slot", required=True, help="the slot, e.g. 2026-11-22T1430")
    alert.add_argument("--exit-code", type=int, required=True, help="what the run ended with")
    alert.add_argument("--log", required=True, help="where the run's log is")

    if arguments[:1] == ["dbt"]:
        return run_dbt(arguments[1:])  # all that follows is dbt's own, --help included
    options = parser.parse_args(arguments)
    from pipeline.alerts import tell_exit_code

    return 0 if tell_exit_code(options.slot, options.exit_code, options.log) else 1


def run_dbt(arguments: list[str]) -> int:
    """dbt as a process of its own, pointed at the pipeline's database; returns its exit code."""
    from pipeline.transform.dbt import environment

    dbt = str(Path(sys.executable).with_name("dbt"))
    return subprocess.run([dbt, *arguments], env={**os.environ, **environment()}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
