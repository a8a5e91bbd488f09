"""`python -m pipeline forget`: an account and all that is known of it, deleted."""

from __future__ import annotations

import argparse
from typing import Any

from pipeline import config

# In every case; docs/operation.md lists the same.
LEFT = (
    "the permission at Spotify: withdraw it on spotify.com/account/apps",
    "SPOTIFY_REFRESH_TOKEN in .env, rules of the account in dbt/seeds/exclusion_rules.csv: delete them yourself",
    "backups, exports and pictures that you made: delete them",
    "messages in Slack, and values that Metabase has cached (Metabase: Admin, Databases, Discard saved field values)",
    "output that others keep: mails of cron, logs of containers, history of your shell",
    "blocks of the disk that deleted files had, until the disk uses them again; snapshots of the file system",
)


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("forget", help="delete every trace of one account")
    parser.add_argument("--account", required=True, help="whose")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(options: argparse.Namespace) -> int:
    from pipeline.forget import forget_files, forget_rows
    from pipeline.scheduler.forgetting import forget_tasks

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
    data, logs = config.storage().root, config.storage().logs
    # Files first: a slot that runs meanwhile finds nothing that it could load again.
    files = forget_files(data, logs, account)
    tasks, left_in_luigid = forget_tasks(data, account)
    rows, left_in_database = forget_rows(account)
    removed = [*files, *tasks, *rows]
    print(f"Removed of account {account!r}:" if removed else f"Nothing was found of account {account!r}.")
    for trace in removed:
        print(f"  {trace}")
    if account in config.spotify().account_names:
        print(f"Take {account!r} out of [spotify] accounts (SPOTIFY_ACCOUNTS), else the next slot asks for a consent.")
    print("Not removed, because this command cannot:")
    for trace in (*left_in_luigid, *left_in_database, *LEFT):
        print(f"  {trace}")
    return 0
