"""What is done by hand, beside the Luigi tasks."""

from __future__ import annotations

import argparse
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


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["dbt"]:
        return dbt.run_dbt(arguments[1:])
    parser = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__, allow_abbrev=False)
    # Read when the package was imported: pipeline/logs.py.
    parser.add_argument("--log-level", choices=logs.LEVELS, help="what is said on the way; INFO if not given")
    parser.add_argument("--log-format", choices=logs.FORMATS, help="text for people, or one event a line: line, json")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (*COMMANDS.values(), dbt):
        command.add_parser(commands)
    options = parser.parse_args(arguments)
    if options.command == "dbt":
        parser.error("dbt knows options of its own: python -m pipeline dbt OPTIONS")
    try:
        return int(COMMANDS[options.command].run(options))
    except (config.SettingError, DatabaseError) as error:
        print(config.scrub(str(error)), file=sys.stderr)
        return 2 if options.command == "status" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
