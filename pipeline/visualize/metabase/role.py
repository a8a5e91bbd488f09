"""The PostgreSQL role that Metabase reads as: the schema `reporting`, and nothing else.

The functions of the schema are `security definer`, so that it needs no right on what they read.
"""

from __future__ import annotations

import logging
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import encrypt_password

from pipeline import config
from pipeline.load.postgres import transaction
from pipeline.visualize.metabase.errors import RoleRefused
from pipeline.visualize.metabase.kept import database_password

logger = logging.getLogger("luigi-interface")
SCHEMA = "reporting"
# A card answers in milliseconds; one that does not is not to hold up the next slot's dbt.
STATEMENT_TIMEOUT = "60s"


def ensure_role() -> str:
    """Create the role, or bring it up to date; returns its password. Raises RoleRefused, DatabaseError.

    Rights on what dbt builds later come by themselves, for as long as the schema stands.
    """
    name, password = config.metabase().database_user, database_password()
    with transaction() as connection, connection.cursor() as cursor:
        cursor.execute("select to_regnamespace(%s) is not null", (SCHEMA,))
        if not cursor.fetchone()[0]:
            raise RoleRefused(
                f"the database has no schema {SCHEMA} yet. Run a slot first: luigi --module pipeline RunPipeline, see"
                " the README"
            )
        if name in (connection.info.user, "postgres"):
            raise RoleRefused(
                f"METABASE_DATABASE_USER is {name!r}, a user that may write: name a role that is Metabase's alone"
            )
        _ensure_login(connection, cursor, name, password)
        for statement in (
            "grant connect on database {database} to {role}",
            "grant usage on schema {schema} to {role}",
            "grant select on all tables in schema {schema} to {role}",
            "grant execute on all functions in schema {schema} to {role}",
            "alter default privileges in schema {schema} grant select on tables to {role}",
            "alter default privileges in schema {schema} grant execute on functions to {role}",
        ):
            cursor.execute(
                sql.SQL(statement).format(
                    database=sql.Identifier(connection.info.dbname),
                    schema=sql.Identifier(SCHEMA),
                    role=sql.Identifier(name),
                )
            )
    return password


def _ensure_login(connection: Any, cursor: Any, name: str, password: str) -> None:
    cursor.execute("select exists (select from pg_catalog.pg_roles where rolname = %s)", (name,))
    exists = cursor.fetchone()[0]
    # PostgreSQL gets the SCRAM verifier, never the password: statements are logged, and shown to others.
    verifier = encrypt_password(password, name, scope=connection, algorithm="scram-sha-256")
    role = sql.Identifier(name)
    attributes = sql.SQL("login nosuperuser nocreatedb nocreaterole inherit")
    statements = [
        sql.SQL("{verb} role {role} {attributes} password {verifier}").format(
            verb=sql.SQL("alter" if exists else "create"),
            role=role,
            attributes=sql.SQL("login") if exists else attributes,
            verifier=sql.Literal(verifier),
        ),
        sql.SQL("alter role {role} set default_transaction_read_only = on").format(role=role),
        # To compile a query takes longer than any card gains by it.
        sql.SQL("alter role {role} set jit = off").format(role=role),
        sql.SQL("alter role {role} set statement_timeout = {timeout}").format(
            role=role, timeout=sql.Literal(STATEMENT_TIMEOUT)
        ),
    ]
    cursor.execute("savepoint login")
    try:
        for statement in statements:
            cursor.execute(statement)
    except psycopg2.errors.InsufficientPrivilege as error:
        cursor.execute("rollback to savepoint login")
        if exists and config.value_of("METABASE_DATABASE_PASSWORD"):
            logger.warning("role %s is kept as it is: this user may not change it", name)
            return
        words = config.scrub(error.diag.message_primary or "")
        raise RoleRefused(
            f"PostgreSQL does not let user {connection.info.user!r} make the role {name!r}"
            f" ({words}). Have an administrator run: create role {name} login password '...'; and"
            " put the password into METABASE_DATABASE_PASSWORD, then run this again"
        ) from None
