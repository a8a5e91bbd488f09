"""PublishDashboard: the cards into Metabase."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import luigi
import psycopg2

from pipeline import config
from pipeline.load.postgres import transaction
from pipeline.visualize.cards import Card, CardError, Tab, read_tabs
from pipeline.visualize.query import DATES, Filters, fill

logger = logging.getLogger("luigi-interface")


class PublishDashboard(luigi.Task):
    """The dashboard of pipeline/visualize/cards in Metabase, made or brought up to date. Run twice, nothing changes."""

    published = False

    def complete(self) -> bool:
        # Asked for by a person, so never done already; done once it has run in this process.
        return self.published

    def run(self) -> None:
        from pipeline.visualize.metabase.descriptions import describe_tables

        self.set_status_message(publish(read_tabs()))  # type: ignore[misc]
        describe_tables()
        self.published = True


def publish(tabs: tuple[Tab, ...]) -> str:
    """Returns what was done, in words. Raises SettingError, CardError, RoleRefused, DatabaseError, MetabaseError; what
    was done until then stays, and the next run goes on from there."""
    from pipeline.visualize.metabase import bodies, database, display, provision, subscription
    from pipeline.visualize.metabase.access import let_in
    from pipeline.visualize.metabase.role import ensure_role

    settings = config.metabase()
    database.details("")  # said before anything is asked for
    metabase = let_in()
    password = ensure_role()
    cards = [card for tab in tabs for card in tab.cards]
    outputs = output_columns(cards)
    logger.info("Metabase reads PostgreSQL as %s, the schema %s alone", settings.database_user, DATES[0])
    connection = database.ensure_database(metabase, password)
    fields = database.wait_for_fields(metabase, connection, settings.patience)
    collection = provision.ensure_collection(metabase)
    done: Counter[str] = Counter()
    ids: dict[str, int] = {}
    for card in cards:
        drawn = display.visualization_settings(card, outputs[card.id])
        body = bodies.card_body(card, display.display(card), drawn, connection, fields[DATES[1:]], collection)
        ids[card.id] = provision.ensure_card(metabase, bodies.entity_id(card), body, done)
    dashboard = provision.ensure_dashboard(metabase, tabs, ids, collection)
    provision.trash_cards(metabase, collection, {bodies.entity_id(card) for card in cards}, done)
    sent = subscription.ensure_subscription(metabase, dashboard)
    counts = ", ".join(f"{number} {what}" for what, number in done.items())
    message = f"{len(cards)} cards ({counts}) on {settings.url.rstrip('/')}/dashboard/{dashboard['id']}; {sent}"
    logger.info(message)
    return message


def output_columns(cards: list[Card]) -> dict[str, list[str]]:
    """Card → the columns that its query returns: Metabase wants each named, shown or not. Raises CardError."""
    found = {}
    with transaction() as connection:
        for card in cards:
            found[card.id] = _output_columns(connection, card)
    return found


def _output_columns(connection: Any, card: Card) -> list[str]:
    query, parameters = fill(card.sql, Filters(config.spotify().account_names[0]))
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"select * from ({query}\n) as card limit 0", parameters)
            columns = [each.name for each in cursor.description]
    except psycopg2.ProgrammingError as error:
        raise CardError(
            f"card {card.id!r}: its SQL does not run: {error.diag.message_primary or error}. Correct it in"
            " pipeline/visualize/cards; if a report is missing, build the models first (luigi --module pipeline"
            " RunPipeline)"
        ) from None
    if missing := {column.name for column in card.columns} - set(columns):
        raise CardError(f"card {card.id!r}: its SQL returns no column {min(missing)!r}, which stands under columns")
    return columns
