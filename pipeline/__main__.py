"""What is done by hand, beside the Luigi tasks."""

from __future__ import annotations

import argparse
import os
import sys

from pipeline import config, logs
from pipeline.commands import (
    alert,
    backup,
    dbt,
    doctor,
    exclusions,
    export,
    forget,
    luigid,
    metabase,
    metrics,
    picture,
    restore,
    status,
)
from pipeline.extract import authorize
from pipeline.load.errors import DatabaseError

# In the order of the help.
COMMANDS = {
    "authorize": authorize,
    "status": status,
    "doctor": doctor,
    "metrics": metrics,
    "picture": picture,
    "metabase": metabase,
    "exclusions": exclusions,
    "luigid": luigid,
    "backup": backup,
    "restore": restore,
    "export": export,
    "forget": forget,
    "alert": alert,
}


# As a shell reports a program that SIGPIPE has ended: `… | head` has read all that it wanted.
OUTPUT_CLOSED = 141


def main(arguments: list[str]) -> int:
    """Run one command; returns its exit code."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered goes nowhere, instead of raising the error again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OUTPUT_CLOSED
    return code


def _run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__, allow_abbrev=False)
    # Read when the package was imported: pipeline/logs.py.
    parser.add_argument("--log-level", choices=logs.LEVELS, help="what is said on the way; INFO if not given")
    parser.add_argument("--log-format", choices=logs.FORMATS, help="text for people, or one event a line: line, json")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (*COMMANDS.values(), dbt):
        command.add_parser(commands)
    # dbt has options of its own, --help too.
    of_dbt = arguments[:1] == ["dbt"]
    options = parser.parse_args(arguments[:1] if of_dbt else arguments)
    if options.command == "dbt" and not of_dbt:
        parser.error("the options of dbt follow its name: python -m pipeline dbt OPTIONS")
    try:
        if of_dbt:
            return dbt.run_dbt(arguments[1:])
        return int(COMMANDS[options.command].run(options))
    except (config.SettingError, DatabaseError) as error:
        print(config.scrub(str(error)), file=sys.stderr)
        return 2 if options.command == "status" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
