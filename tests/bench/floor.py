"""The floor of a quiet slot: one call of Spotify with an access token at hand, one query, nothing else."""

from __future__ import annotations

import os

import psycopg2
import requests


def main() -> None:
    response = requests.get(
        f"{os.environ['SPOTIFY_API_URL']}/me/player/recently-played",
        params={"limit": "50"},
        headers={"Authorization": f"Bearer {os.environ['SAMPLE_ACCESS_TOKEN']}"},
        timeout=20,
    )
    response.raise_for_status()
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    with connection.cursor() as cursor:
        cursor.execute("select max(loaded_through) from pipeline.dbt_runs")
        cursor.fetchone()
    connection.close()


if __name__ == "__main__":
    main()
