"""dbt in this process: imported only when there is work, its project parsed once for run and test."""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import logging
import os
import re
from collections.abc import Iterator
from typing import Any

from pipeline import config, interrupts, logs
from pipeline.load.postgres import connect
from pipeline.transform.progress import Scope

logger = logging.getLogger("luigi-interface")
PROJECT = config.PROJECT / "dbt"
# Nobody reads the artifacts of a slot, and they are large.
OPTIONS = ("--quiet", "--no-use-colors", "--no-write-json")

TLS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl")


class DbtFailed(Exception):
    """dbt ended with errors; the message lists every failed model or test with dbt's own words."""

    @property
    def violates_constraint(self) -> bool:
        """True if PostgreSQL refused rows, e.g. `duplicate key value violates unique constraint "fct_plays_key"`."""
        return re.search(r"violates [\w-]+( \w+)? constraint", str(self)) is not None


def project_version() -> str:
    """Digest of the models, macros, seeds and the section [listener]. If it changes, the next build is full."""
    listener = config.listener()
    digest = hashlib.sha256(f"{listener.zone} {listener.zones} {listener.shortest_play}".encode())
    built_from = [path for folder in ("models", "macros", "seeds") for path in (PROJECT / folder).rglob("*.*")]
    for path in sorted([PROJECT / "dbt_project.yml", *built_from]):
        if path.suffix in (".sql", ".yml", ".csv"):
            digest.update(str(path.relative_to(PROJECT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def relations() -> list[str]:
    """Every table and view that the project builds, as `schema.name`: the schema is named like the folder."""
    files = [*sorted((PROJECT / "seeds").glob("*.csv")), *sorted((PROJECT / "models").rglob("*.sql"))]
    return [f"{path.parent.name}.{path.stem}" for path in files]


def environment() -> dict[str, str]:
    """What dbt/profiles.yml, libpq and the macros read. dbt keeps values named DBT_ENV_SECRET_… out of its logs.

    Where the database is, is asked of a connection to it: a URL can leave that to a service file, to libpq's variables
    or to the first of several hosts that answers.
    """
    with contextlib.closing(connect()) as connection:
        info, given = connection.info, connection.get_dsn_parameters()
        found = {
            "DBT_PG_HOST": info.host or "",
            "DBT_PG_PORT": str(info.port),
            "DBT_PG_USER": info.user,
            "DBT_PG_DATABASE": info.dbname,
            "DBT_ENV_SECRET_PG_PASSWORD": info.password or "",
            # Whoever reads a report may hold a lock on it; a dbt that waits for ever would keep the next slots out.
            "PGOPTIONS": given.get("options", ""),
            **{f"PG{name.upper()}": given[name] for name in TLS if given.get(name)},
        }
    return {
        **found,
        "LISTENER_TIMEZONE": config.listener().zone,
        "LISTENER_TIMEZONES": config.listener().zones,
        "LISTENER_SHORTEST_PLAY_SECONDS": str(config.listener().shortest_play),
        "DBT_PROJECT_DIR": str(PROJECT),
        "DBT_PROFILES_DIR": str(PROJECT),
        "DBT_TARGET_PATH": str(config.storage().root / "dbt"),
        "DBT_LOG_PATH": str(config.storage().root / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def invoke(*arguments: str) -> None:
    """`dbt <arguments>`. Raises DbtFailed."""
    os.environ.update(environment())
    with _collector_off():
        from dbt.cli.main import dbtRunner

        outcome = dbtRunner(manifest=_manifest()).invoke([*_options(), *arguments])
    _raise_for_failure(outcome)


def run(scope: Scope) -> None:
    """Build every seed and model from nothing, or bring the incremental ones up to date. Raises DbtFailed.

    Views read the incremental models, so they need no second look until the project changes.
    """
    if scope == "full":
        invoke("build", "--full-refresh", "--resource-type", "seed", "--resource-type", "model")
    else:
        invoke("run", "--select", "config.materialized:incremental")


def test(scope: Scope) -> None:
    """Run the data tests: all of the history, or the days that changed (macro get_where_subquery). Raises DbtFailed."""
    os.environ["DBT_TEST_SCOPE"] = scope
    invoke("test", "--exclude-resource-type", "unit_test", *(["--exclude", "tag:daily"] if scope == "news" else []))


@functools.cache
def _manifest() -> Any:
    from dbt.cli.main import dbtRunner

    outcome = dbtRunner().invoke([*_options(), "parse"])
    if not outcome.success:
        # What an older version of the project has left there can mislead dbt, after a step back for instance.
        outcome = dbtRunner().invoke([*_options(), "parse", "--no-partial-parse"])
    _raise_for_failure(outcome)
    return outcome.result


def _options() -> list[str]:
    """To a person dbt says what it can of errors. In a log of events they are in the message of DbtFailed."""
    return [
        *OPTIONS,
        *([] if logs.written_format() == "text" else ["--log-level", "none", "--log-level-file", "debug"]),
    ]


def _raise_for_failure(outcome: Any) -> None:
    interrupts.heed()
    for result in getattr(outcome.result, "results", ()):
        if result.status == "warn":
            logger.warning("%s %s: %s", result.node.resource_type, result.node.name, config.scrub(str(result.message)))
    if outcome.success:
        return
    if outcome.exception:
        raise DbtFailed(f"dbt could not start: {config.scrub(str(outcome.exception))}")
    failed = [result for result in outcome.result if result.status in ("error", "fail", "runtime error")]
    lines = [
        f"{result.node.resource_type} {result.node.name}: {config.scrub(str(result.message))}" for result in failed
    ]
    raise DbtFailed("\n  ".join([f"{len(failed)} of {len(outcome.result.results)} dbt nodes failed:", *lines]))


@contextlib.contextmanager
def _collector_off() -> Iterator[None]:
    """dbt allocates many objects that live to its end; collecting among them costs a fifth of its time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
