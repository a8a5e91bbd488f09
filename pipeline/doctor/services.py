"""The programs that the pipeline speaks to."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline import config
from pipeline.causes import cause_of
from pipeline.doctor.finding import FAILED, OK, SKIPPED, WARNING, Finding
from pipeline.load.errors import DatabaseError
from pipeline.load.postgres import connect
from pipeline.status.database import dbt_facts
from pipeline.status.machine import luigid_facts

OLDEST = 15
SCHEMAS = ("staging", "pipeline", "seeds", "intermediate", "marts", "reporting")


def postgresql() -> Iterator[Finding]:
    try:
        with contextlib.closing(connect()) as connection, connection.cursor() as cursor:
            release, where = connection.info.server_version // 10_000, connection.info.host or "localhost"
            cursor.execute(
                "select has_database_privilege(current_database(), 'CREATE'), current_database(), current_user,"
                " array(select nspname::text from pg_namespace where nspname = any(%s)"
                "  and not has_schema_privilege(oid, 'CREATE'))",
                (list(SCHEMAS),),
            )
            may_create, database, user, closed = cursor.fetchone()
    except DatabaseError as error:
        yield Finding(FAILED, str(error))
        return
    if release < OLDEST:
        yield Finding(FAILED, f"PostgreSQL {release} at {where} is too old", f"use {OLDEST} or newer")
    if not may_create:
        what = f"user {user!r} may not create schemas in {database!r}"
        yield Finding(FAILED, what, f'as its owner: grant create on database "{database}" to "{user}"')
    if closed:
        what = f"user {user!r} may not create tables in {', '.join(closed)}"
        yield Finding(FAILED, what, f'as an administrator, for each: alter schema … owner to "{user}"')
    yield Finding(OK, f"PostgreSQL {release} at {where}, database {database!r}, user {user!r}")


def dbt() -> Iterator[Finding]:
    from pipeline.transform.dbt import environment

    try:
        settings = environment()
        with contextlib.closing(connect()) as connection:
            facts = dbt_facts(connection)
    except DatabaseError:
        yield Finding(SKIPPED, "without a database nothing can be said")
        return
    command = [str(Path(sys.executable).with_name("dbt")), "--quiet", "--no-use-colors", "parse"]
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True)
    if done.returncode:
        what = f"the project cannot be parsed: {config.scrub(done.stdout + done.stderr).strip()[-600:]}"
        cause = cause_of(done.stdout + done.stderr)
        folder = str(config.storage().root)
        yield Finding(FAILED, what, cause.fix.replace("FOLDER", folder) if cause else "undo the last change of dbt/")
    elif not facts["last_run_at"]:
        yield Finding(WARNING, "the project parses; nothing is built yet", "run a slot: see README")
    else:
        yield Finding(OK, f"the project parses; last built {facts['last_run_at'][:16]}Z")


def luigid() -> Iterator[Finding]:
    facts = luigid_facts(config.environment().get("LUIGI_SCHEDULER_URL"))
    if facts is None:
        yield Finding(OK, "none set: each run schedules itself")
    elif facts["reachable"]:
        yield Finding(OK, f"answers at {facts['url']}")
    elif facts["refuses"]:
        yield Finding(WARNING, f"{facts['url']} is not used: {facts['refuses']}")
    else:
        what = f"does not answer at {facts['url']}; slots run without the visualiser"
        yield Finding(WARNING, what, "start it, or remove LUIGI_SCHEDULER_URL")


def slack(offline: bool, tell: bool) -> Iterator[Finding]:
    settings = config.slack()
    others, is_set = len(config.notify_urls()), bool(settings.webhook_url or settings.bot_token)
    if others:
        yield Finding(OK, f"NOTIFY_URLS has {others} other service{'s' if others > 1 else ''}")
    if not (is_set or others):
        what = "not set up: failures are in the log only"
        yield Finding(WARNING, what, "set SLACK_WEBHOOK_URL, or NOTIFY_URLS for another service, in .env")
        return
    settings.check_address()
    if tell and not offline:
        from pipeline import alerts

        if alerts.tell("A test: the listening history's doctor says hello."):
            yield Finding(OK, "took a message: look for it")
        else:
            yield Finding(
                FAILED, "did not take a message; the line above says why", "check SLACK_… and NOTIFY_URLS in .env"
            )
    elif not is_set:
        yield Finding(OK, "Slack is not used; python -m pipeline doctor --tell sends the others a message")
    elif settings.webhook_url:
        yield Finding(OK, "a webhook is set; python -m pipeline doctor --tell sends a message")
    elif not settings.channel:
        yield Finding(FAILED, "SLACK_BOT_TOKEN is set and SLACK_CHANNEL is not", "name the channel, such as #listening")
    elif offline:
        yield Finding(OK, f"a bot token is set, for {settings.channel}; Slack was not asked")
    else:
        yield _bot(settings)


def _bot(settings: config.slack) -> Finding:
    from slack_sdk.errors import SlackApiError

    from pipeline.alerts.slack import time_limit
    from pipeline.alerts.slack_clients import WebClient

    try:
        with time_limit(settings.timeout):
            answer = WebClient(settings.bot_token, base_url=settings.api_url, timeout=settings.timeout).auth_test()
    except SlackApiError as error:
        words = str(error.response.get("error", error.response.status_code))
        return Finding(FAILED, f"does not know the bot token ({words})", "copy it anew from api.slack.com/apps")
    except Exception as error:
        # By type alone: the text can hold the address.
        return Finding(FAILED, f"could not be asked ({type(error).__name__})", "check the network and SLACK_API_URL")
    return Finding(
        OK, f"knows the bot as {answer.get('user', 'somebody')}; --tell sends a message to {settings.channel}"
    )


def metabase(offline: bool) -> Iterator[Finding]:
    from pipeline.visualize.metabase.errors import MetabaseError
    from pipeline.visualize.metabase.setup import say_status

    if not config.metabase().url:
        yield Finding(OK, "none set: the page under data/dashboard needs none")
    elif offline:
        yield Finding(OK, f"set to {config.metabase().url}, which was not asked")
    else:
        try:
            yield Finding(OK, say_status())
        except MetabaseError as error:
            yield Finding(FAILED, str(error))
