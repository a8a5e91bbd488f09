"""`python -m pipeline forget`: an account and all that is known of it, deleted."""

from __future__ import annotations

import argparse
from typing import Any

from pipeline import config


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("forget", help="delete every trace of one account")
    parser.add_argument("--account", required=True, help="whose")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(options: argparse.Namespace) -> int:
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
