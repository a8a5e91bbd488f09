"""What the demo shows on the terminal, read from the reports."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pipeline.visualize.render import page_path


def show_rules(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from staging.spotify_songs as late where exists ("
            "select from staging.spotify_songs as known"
            " where known.load_id < late.load_id and known.played_at_utc > late.played_at_utc)"
        )
        (late,) = cursor.fetchone()
        cursor.execute("select count(*), sum(steps) from marts.fct_plays where steps > 1")
        plays, steps = cursor.fetchone()
    print(f"\nArrived after younger plays had been stored, and put in their place: {late}.")
    print(f"Returned by Spotify in several rows, and counted once: {steps or 0} rows, plays: {plays}.")


def show_gaps(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select begins_at, ends_at, explanation from reporting.rpt_gaps where is_open order by found_at")
        gaps = cursor.fetchall()
    for begins_at, ends_at, explanation in gaps:
        print(f"A gap: plays may be lost from {begins_at:%a %H:%M} to {ends_at:%a %H:%M} UTC: {explanation}.")
    print("Totals say that they are at least so much, until a data export closes the gaps.")


def show_genres(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select share_of_plays, artists_with_genre, artists, artists_waiting from reporting.rpt_genre_coverage"
        )
        share, with_genre, artists, waiting = cursor.fetchone()
        cursor.execute("select count(*), count(*) filter (where plays = 0) from reporting.rpt_saved_tracks")
        saved, never_played = cursor.fetchone()
    print(f"Plays with a genre: {share:.0%} ({with_genre} of {artists} artists; {waiting} still to be asked for).")
    print(f"Saved tracks: {saved}, of which never played: {never_played}.")


def show_marts(connection: Any) -> None:
    import pandas

    print("\nMinutes are exact where the export has the play; the Web API does not tell how long a track was heard.")
    with connection.cursor() as cursor:
        for title, query in (
            (
                "Top tracks",
                "select rank, track_name, artists, plays, minutes, minutes_estimated as estimated"
                " from reporting.rpt_top_tracks order by rank",
            ),
            (
                "Top artists",
                "select rank, artist_name, plays, minutes, minutes_estimated as estimated"
                " from reporting.rpt_top_artists order by rank",
            ),
            (
                "Recently played, in Europe/Berlin",
                "select to_char(played_at_local, 'Dy HH24:MI') as ended, track_name, artists, minutes"
                " from reporting.rpt_recently_played order by played_at desc",
            ),
        ):
            cursor.execute(f"{query} limit 5")
            table = pandas.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
            print(f"\n{title}\n{table.to_string(index=False)}")


def show_files(data: Path) -> None:
    def shown(path: Path) -> str:
        return os.path.relpath(path)

    print(f"\nWhat was kept, in {shown(data)}/")
    for folder, meaning in (
        ("raw", "answers of Spotify, byte for byte"),
        ("spotify_songs", "day partitions: everything else can be rebuilt from them"),
        ("spotify_history", "day partitions of the data export"),
        ("polls", "records of the polls"),
    ):
        files = [path for path in (data / folder).rglob("*") if path.is_file()]
        print(f"  {folder + '/':<16} {len(files):>3} {meaning}")


def show_next_steps(data: Path, account: str) -> None:
    folder = os.path.relpath(data)
    print(f"\nThe dashboard, to be opened in a browser: {page_path(Path(folder), account)}")
    print("\nWhat to try next, in this folder")
    for command, meaning in (
        ("status", "whether polls, consent and marts are well"),
        ("picture", "this year's Wrapped as a PNG"),
        ("export --format csv", "the whole history as CSV, for other programs"),
        ("dbt show --select rpt_top_tracks", "a report, with dbt"),
        ("luigi --module pipeline RebuildStaging", "PostgreSQL again, from the files"),
    ):
        print(f"  .venv/bin/python -m pipeline.demo {command:<40} {meaning}")
    print("\nWith your own Spotify account: see README.md, Your own history")


def show_wrapped(connection: Any) -> None:
    """The last month that is over, in a few sentences."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select to_char(period_start, 'FMMonth YYYY'), minutes, plays, tracks, artists, new_tracks, change,"
            " top_track, top_track_artists, top_track_plays, top_artist, top_artist_plays, top_genre, busiest_date,"
            " busiest_minutes, longest_streak, longest_session_minutes, skip_share from reporting.rpt_wrapped"
            " where grain = 'month' and is_complete order by period_start desc limit 1"
        )
        names = [column.name for column in cursor.description]
        month, *values = cursor.fetchone()
        told = dict(zip(names[1:], values, strict=True))
    change = "" if told["change"] is None else f" ({told['change']:+.0%} against the month before)"
    print(f"\nWrapped: {month}")
    print(
        f"  {told['minutes']:,.0f} minutes{change}, {told['plays']:,} plays, {told['skip_share']:.0%} of them skipped"
    )
    print(f"  {told['tracks']:,} tracks by {told['artists']} artists; tracks never heard before: {told['new_tracks']}")
    print(f"  most played: {told['top_track']} by {told['top_track_artists']}, {told['top_track_plays']} times")
    print(f"  most heard artist: {told['top_artist']}, {told['top_artist_plays']} plays; genre: {told['top_genre']}")
    print(
        f"  busiest day: {told['busiest_date']:%A %d}, {told['busiest_minutes']:,.0f} minutes;"
        f" longest sitting: {told['longest_session_minutes']:,.0f} minutes;"
        f" longest streak: {told['longest_streak']} days"
    )
