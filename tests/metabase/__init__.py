"""A sample Metabase on the loopback interface: what the parts of its REST API promise that a dashboard needs.

    requests.schema.json, bodies.py   what a request may hold; what is wrong is said by field
    server.py, entrance.py, calls.py  who is let in, and which call goes where
    warehouse.py                      databases: connected to for real, as the role that was given; what a sync reads
    content.py                        collections, cards, subscriptions
    dashboards.py                     dashboards, with the rules of tabs and cards
    queries.py                        native queries: filters put into the SQL by Metabase's rules, run as the role

It is itself checked by Metabase's own command line (test_cli.py).
"""

from tests.metabase import calls, entrance
from tests.metabase.server import SampleMetabase

__all__ = ["SampleMetabase", "calls", "entrance"]
