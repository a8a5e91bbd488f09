"""The cards: one definition (cards/*.yml), rendered to the listener's Metabase and to an offline HTML page."""
