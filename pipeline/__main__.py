"""What is done by hand, beside the Luigi tasks."""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

from pipeline import config
from pipeline.extract import authorize
from pipeline.load.errors import DatabaseError


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    authorize.add_parser(commands)
    status = commands.add_parser(
        "status",
        help="whether all is well: polls, gaps, consent, limits, dbt",
        epilog="Exit code: 0 nothing needs attention, 1 something does, 2 plays are or will be lost without you.",
    )
    status.add_argument("--account", help="of one account; of all in [spotify] accounts if not given")
    status.add_argument("--json", action="store_true", help="for scripts; moments in UTC")
    forget = commands.add_parser("forget", help="delete every trace of one account")
    forget.add_argument("--account", required=True, help="whose")
    forget.add_argument("--yes", action="store_true", help="do not ask")
    commands.add_parser(
        "exclusions",
        help="what the rules in dbt/seeds/exclusion_rules.csv would remove, before they count",
        epilog="Exit code: 0 every rule can be read, 1 one cannot. Rules count from the next slot on.",
    )
    metabase = commands.add_parser(
        "metabase",
        help="the way into Metabase, for PublishDashboard",
        epilog="setup: the administrator of an empty Metabase, and a key for the pipeline, from METABASE_ADMIN_EMAIL"
        " and METABASE_ADMIN_PASSWORD. status: whether the key is let in. docs/metabase.md says more.",
    )
    metabase.add_argument("action", choices=["setup", "status"])
    picture = commands.add_parser(
        "picture",
        help="Wrapped of a year, quarter or month as a PNG to share",
        epilog="Letters need a font on this machine: Debian has fonts-noto-cjk and fonts-noto-color-emoji.",
    )
    picture.add_argument("--period", help="2026, 2026-Q3 or 2026-11; the year that is going on if not given")
    picture.add_argument("--account", help="whose; the first of [spotify] accounts if not given")
    picture.add_argument("--output", type=Path, help="the file; beside the account's dashboard if not given")
    commands.add_parser("dbt", help="dbt on the pipeline's database, e.g.: dbt show -s rpt_top_tracks")
    alert = commands.add_parser("alert", help="tell Slack that a slot ended with an exit code (cron/run.sh does)")
    alert.add_argument("--slot", required=True, help="the slot, e.g. 2026-11-22T1430")
    alert.add_argument("--exit-code", type=int, required=True, help="what the run ended with")
    alert.add_argument("--log", required=True, help="where the run's log is")

    if arguments[:1] == ["dbt"]:
        return run_dbt(arguments[1:])  # all that follows is dbt's own, --help included
    options = parser.parse_args(arguments)
    run = {
        "authorize": authorize.run,
        "status": show_status,
        "forget": forget_account,
        "exclusions": show_exclusions,
        "picture": draw_picture,
        "metabase": reach_metabase,
        "alert": tell_slack,
    }
    try:
        return run[options.command](options)
    except (config.SettingError, DatabaseError) as error:
        print(error, file=sys.stderr)
        return 2 if options.command == "status" else 1


def show_status(options: argparse.Namespace) -> int:
    from pipeline.extract.answers import utc_now
    from pipeline.status import gather
    from pipeline.status_screen import render

    settings = config.spotify()
    names = [config.AccountParameter().normalize(options.account)] if options.account else settings.account_names
    status = gather(config.storage().root, names, utc_now())
    print(
        json.dumps(status, indent=1) if options.json else render(status, config.listener().zone, settings.daily_calls)
    )
    return int(status["exit_code"])


def show_exclusions(options: argparse.Namespace) -> int:
    from pipeline.transform.dbt import DbtFailed
    from pipeline.transform.exclusions import NothingBuilt, preview

    try:
        screen, all_readable = preview()
    except (NothingBuilt, DbtFailed) as error:
        print(error, file=sys.stderr)
        return 1
    print(screen)
    return 0 if all_readable else 1


def draw_picture(options: argparse.Namespace) -> int:
    from pipeline.extract.files import write_atomic
    from pipeline.load.postgres import transaction
    from pipeline.visualize.cards import CardError
    from pipeline.visualize.picture import NoSuchPeriod, wrapped_picture
    from pipeline.visualize.render import page_path

    account = config.AccountParameter().normalize(options.account or config.spotify().account_names[0])
    with transaction() as connection:
        try:
            period, png = wrapped_picture(connection, account, options.period)
        except (NoSuchPeriod, CardError) as error:
            print(error, file=sys.stderr)
            return 1
    path = options.output or page_path(config.storage().root, account).with_name(f"wrapped-{period}.png")
    write_atomic(path.absolute(), png)
    print(path)
    return 0


def forget_account(options: argparse.Namespace) -> int:
    from pipeline.forget import forget_files, forget_rows

    account = config.AccountParameter().normalize(options.account)
    if not options.yes:
        print(
            f"This deletes every play, poll, token and mart row of account {account!r}, in\n{config.storage().root}\n"
            "and in the database. It cannot be undone."
        )
        try:
            answer = input("Type the account's name to go on: ")
        except EOFError:
            answer = ""
        if answer.strip() != account:
            print("Nothing was deleted.")
            return 1
    # Files first: a slot that runs meanwhile finds nothing that it could load again.
    removed = [*forget_files(config.storage().root, config.storage().logs, account), *forget_rows(account)]
    print(f"Removed of account {account!r}:" if removed else f"Nothing was found of account {account!r}.")
    for trace in removed:
        print(f"  {trace}")
    if account in config.spotify().account_names:
        print(f"Take {account!r} out of [spotify] accounts (SPOTIFY_ACCOUNTS), else the next slot asks for a consent.")
    print("Yours to do: withdraw the permission on spotify.com/account/apps, take SPOTIFY_REFRESH_TOKEN")
    print("out of .env, and delete backups.")
    return 0


def reach_metabase(options: argparse.Namespace) -> int:
    from pipeline.visualize.metabase.errors import MetabaseError
    from pipeline.visualize.metabase.setup import say_status, set_up

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        print(set_up() if options.action == "setup" else say_status())
    except MetabaseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def tell_slack(options: argparse.Namespace) -> int:
    from pipeline.alerts import tell_exit_code

    return 0 if tell_exit_code(options.slot, options.exit_code, options.log) else 1


def run_dbt(arguments: list[str]) -> int:
    """dbt as a process of its own, pointed at the pipeline's database; returns its exit code."""
    from pipeline.transform.dbt import environment

    dbt = str(Path(sys.executable).with_name("dbt"))
    return subprocess.run([dbt, *arguments], env={**os.environ, **environment()}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
