"""Random sequences of loads: is what dbt builds load by load what a full build makes of the same rows?

    python -m tests.sequences [--count 200] [--accounts 10] [--seed 1]

Each account of a batch is one sequence: a history of its own, which comes in loads of its own. The accounts of a batch
share a database and its dbt runs. In some batches a run ends in the middle, and in some a load corrects rows in place.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psycopg2

from pipeline.load.embedded import embedded_dsn
from pipeline.load.staging import require_full_build
from pipeline.transform import progress
from tests.conftest import Database
from tests.two_sources import Dbt, Load, Polled, in_loads, insert, running_dbt, some_history
from tests.two_sources_rules import (
    Sources,
    near_duplicates_by_the_rule,
    offline_pairs_by_the_rule,
    pairs_by_the_rule,
)

LOADS = 5


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sequences", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="sequences (default 200)")
    parser.add_argument("--accounts", type=int, default=10, help="sequences in one database (default 10)")
    parser.add_argument("--seed", type=int, default=1, help="of the first batch (default 1)")
    options = parser.parse_args()
    failed = 0
    batches = -(-options.count // options.accounts)
    with tempfile.TemporaryDirectory() as folder:
        url = embedded_dsn(Path(folder) / "postgres")
        for seed in range(options.seed, options.seed + batches):
            began = time.monotonic()
            outcome = "equal"
            try:
                database = _new_database(url)
                environment = {"DATA_DIR": str(Path(folder) / "data"), "DATABASE_URL": database.url}
                with running_dbt(database, environment) as dbt:
                    run_batch(dbt, database, seed, options.accounts)
            except AssertionError as error:
                outcome, failed = f"DIFFERENT: {str(error)[:2000]}", failed + 1
            print(
                f"batch {seed}: {options.accounts} sequences, {time.monotonic() - began:.0f} s: {outcome}", flush=True
            )
        shutil.rmtree(Path(folder) / "data", ignore_errors=True)
    print(f"{batches * options.accounts} sequences, {failed} of {batches} batches different")
    return 1 if failed else 0


def _new_database(dsn: str) -> Database:
    """An empty database `sequences` on the server."""
    administrator = psycopg2.connect(dsn)
    administrator.autocommit = True
    with administrator.cursor() as cursor:
        cursor.execute("drop database if exists sequences with (force)")
        cursor.execute("create database sequences")
    parameters = administrator.get_dsn_parameters()
    administrator.close()
    return Database(f"postgresql://{parameters['user']}@/sequences?host={parameters['host']}")


def run_batch(dbt: Dbt, database: Database, seed: int, accounts: int) -> None:
    """Load and build `accounts` sequences; AssertionError names the first relation that differs from a full build."""
    chance = random.Random(seed)
    names = ["ann", "bob", *(f"listener{n}" for n in range(accounts))][:accounts]
    histories = {name: some_history(seed, name) for name in names}
    in_order = [in_loads(histories[name], chance.randrange(10**9), LOADS) for name in names]
    corrected_at = chance.randrange(1, LOADS) if seed % 4 == 0 else None
    interrupted_at = chance.randrange(1, LOADS) if seed % 3 == 0 else None
    loaded: set[int] = set()
    for n in range(LOADS):
        load = [play for loads in in_order for play in loads[n]]
        insert(database, load)
        loaded |= set(map(id, load))
        if n == corrected_at:
            for name in names:
                histories[name] = _correct(database, histories[name], chance, loaded)
        if n == 2:  # found out long after the plays
            _find_genre(database, names)
        if n == interrupted_at:
            dbt.run_in_part(
                chance.choice(("+int_track_isrcs", "+int_polled_plays", "+int_offline_matches", "+dim_tracks"))
            )
        _run(dbt, database, is_first=n == 0)
        if n % 2:
            dbt.test("news")
    dbt.test("full")
    for name in names:
        database.rows(
            "insert into staging.history_spans values (%s, '2026-03-05', '2026-04-20', 'export', now())", name
        )
    _run(dbt, database)
    history = [play for each in histories.values() for play in each]
    _assert_rules(database, history)
    incremental = dbt.relations()
    dbt.run("--full-refresh")
    rebuilt = dbt.relations()
    assert incremental.keys() == rebuilt.keys()
    for relation, rows in rebuilt.items():
        assert incremental[relation] == rows, f"{relation}: {_difference(incremental[relation], rows)}"
    dbt.test("full")


def _run(dbt: Dbt, database: Database, is_first: bool = False) -> None:
    """As a slot does: everything if rows were corrected in place, else what is new."""
    connection = psycopg2.connect(database.url)
    last = progress.last_success(connection, "run")
    connection.close()
    if last and last.project_version:
        dbt.run("--full-refresh")
    elif is_first:
        dbt.run()
    else:
        dbt.run("--select", "config.materialized:incremental")


def _correct(database: Database, history: Load, chance: random.Random, loaded: set[int]) -> Load:
    """Somebody edits day files: ISRCs go, titles change. `loaded`: ids of the plays in staging. Returns the history
    with the corrected plays."""
    plays = [play for play in history if isinstance(play, Polled) and id(play) in loaded]
    chosen = chance.sample(plays, min(len(plays), 15))
    corrected = {}
    connection = psycopg2.connect(database.url, options="-c TimeZone=UTC")
    with connection, connection.cursor() as cursor:
        cursor.execute("select nextval('staging.load_id')")
        for play in chosen:
            track = dataclasses.replace(play.track, title=chance.choice((play.track.title, "Corrected")))
            corrected[id(play)] = dataclasses.replace(play, track=track, isrc=None)
            cursor.execute(
                "update staging.spotify_songs set isrc = null, song_name = %s,"
                " load_id = currval('staging.load_id') where account = %s and played_at_utc = %s and track_uri = %s",
                (track.title, play.account, play.at, play.track.uri),
            )
        require_full_build(cursor)
    connection.close()
    return [corrected.get(id(play), play) for play in history]


def _find_genre(database: Database, names: list[str]) -> None:
    for name in names:
        database.rows(
            "insert into staging.spotify_genres (account, artist_id, artist_genre, genre_source, asked_date_utc,"
            " last_updated_datetime_utc, load_id)"
            " values (%s, 'artist1', 'waltz', 'musicbrainz', '2026-12-01', now(), 0)",
            name,
        )


def _assert_rules(database: Database, history: Load) -> None:
    sources = Sources(database, history)
    pairs = pairs_by_the_rule(sources)
    found = set(
        database.rows(
            "select account, polled_at, polled_track_uri, export_reported_at, export_row_id, matched_by, difference_ms"
            " from intermediate.int_play_matches"
        )
    )
    assert found == pairs, f"int_play_matches: {_difference(found, pairs)}"
    assert {pair[5] for pair in found} == {"track_id", "isrc", "names"}
    offline = set(
        database.rows(
            "select account, polled_at, polled_track_uri, export_reported_at, export_row_id"
            " from intermediate.int_offline_matches"
        )
    )
    expected = offline_pairs_by_the_rule(sources, pairs)
    assert offline == expected, f"int_offline_matches: {_difference(offline, expected)}"
    assert offline
    removed = set(
        database.rows("select account, reported_at, row_id from intermediate.int_history_plays where is_near_duplicate")
    )
    repeated = near_duplicates_by_the_rule(history)
    assert removed == repeated, f"near-duplicates: {_difference(removed, repeated)}"
    assert removed
    _assert_rows_are_plays_or_removed(database, history)


def _assert_rows_are_plays_or_removed(database: Database, history: Load) -> None:
    """Every row is a play or is listed with the play that counts instead."""
    by_rule = dict(database.rows("select removed_by, count(*)::integer from reporting.rpt_removed_rows group by 1"))
    assert {*by_rule} == {"impossible_timestamp", "near_duplicate", "joined_step", "in_both_sources"}
    assert by_rule["impossible_timestamp"] == sum(not row.is_possible for row in history)
    plays = database.value("select count(*) from marts.fct_plays")
    assert plays + sum(by_rule.values()) == len(history)
    nowhere = (
        "select * from reporting.rpt_removed_rows as removed where removed_by != 'impossible_timestamp'"
        " and not exists (select from marts.fct_plays as plays where plays.account = removed.account"
        " and plays.play_id = removed.kept_play_id and plays.played_at = removed.kept_played_at"
        " and plays.track_uri = removed.kept_track_uri)"
    )
    assert database.rows(nowhere) == []
    moments = "select min(played_at) > '2026-02-01' and max(played_at) < '2026-12-01' from marts.fct_plays"
    assert database.value(moments)


def _difference(found: object, expected: object) -> str:
    have, want = set(found), set(expected)  # type: ignore[call-overload]
    return f"{sorted(map(str, have - want))[:3]} instead of {sorted(map(str, want - have))[:3]}"


if __name__ == "__main__":
    sys.exit(main())
