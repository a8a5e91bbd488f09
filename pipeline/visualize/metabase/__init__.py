"""Metabase, as code: the cards of pipeline/visualize/cards as a dashboard of the open-source edition, by its REST API.

    setup.py          the first administrator and an API key, once
    access.py         a client that is let in, to a Metabase that has started and is new enough
    role.py           the PostgreSQL role that Metabase reads as
    database.py       the database connection, and the fields that Metabase has read
    descriptions.py   dbt's descriptions of models and columns, by dbt-metabase
    display.py, bodies.py   a card and the dashboard, in Metabase's form
    provision.py      collection, cards, dashboard: found or made, compared, mended
    subscription.py   the dashboard to Slack, on Mondays

Everything is made by `publish` (pipeline/visualize/publish.py). docs/metabase.md tells it to people.
"""
