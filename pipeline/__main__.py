"""What is done by hand, beside the Luigi tasks."""

from __future__ import annotations

import argparse
import sys

from pipeline import config
from pipeline.commands import alert, dbt, exclusions, forget, luigid, metabase, picture, status
from pipeline.extract import authorize
from pipeline.load.errors import DatabaseError

# In the order of the help.
COMMANDS = {
    "authorize": authorize,
    "status": status,
    "picture": picture,
    "metabase": metabase,
    "exclusions": exclusions,
    "luigid": luigid,
    "forget": forget,
    "alert": alert,
}


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["dbt"]:
        return dbt.run_dbt(arguments[1:])
    parser = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (*COMMANDS.values(), dbt):
        command.add_parser(commands)
    options = parser.parse_args(arguments)
    try:
        return int(COMMANDS[options.command].run(options))
    except (config.SettingError, DatabaseError) as error:
        print(error, file=sys.stderr)
        return 2 if options.command == "status" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
