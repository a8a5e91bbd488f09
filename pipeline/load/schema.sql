-- The tables that pipeline/load writes, and the pipeline's own bookkeeping. Applied when a database lacks them.
-- PostgreSQL 15 or newer.

create schema if not exists staging;
create schema if not exists pipeline;

-- Numbers every load in the order of the commits (loads hold one lock), so that "newer than what was seen" loses nothing.
create sequence if not exists staging.load_id;

-- One row per play that the Web API returned; columns as in data/spotify_songs, in that order.
create table if not exists staging.spotify_songs (
    account text not null,
    played_at_utc timestamptz not null,
    played_date_utc date not null,
    song_name text,
    artist_name text,
    song_duration_ms integer not null,
    song_link text,
    album_art_link text,
    album_name text,
    album_id text,
    artist_id text,
    track_id text,
    isrc text,
    track_uri text not null,
    is_local boolean,
    explicit boolean,
    disc_number integer,
    track_number integer,
    album_type text,
    album_release_date text,
    album_release_date_precision text,
    album_total_tracks integer,
    artists jsonb not null,
    album_artists jsonb not null,
    context_type text,
    context_uri text,
    last_updated_datetime_utc timestamptz not null,
    load_id bigint not null,
    -- The date follows from the moment; it stands here so that the key also finds the rows of a day.
    primary key (account, played_date_utc, played_at_utc, track_uri)
);
create index if not exists spotify_songs_load_id on staging.spotify_songs (load_id);

-- One row per artist and genre; an artist whose genres are not known yet has one row without a genre.
create table if not exists staging.spotify_genres (
    account text not null,
    artist_id text not null,
    artist_name text,
    artist_genre text,
    genre_source text,
    last_updated_datetime_utc timestamptz not null,
    unique nulls not distinct (account, artist_id, artist_genre, genre_source)
);

-- Which version of which partition file staging holds; path relative to the data folder.
create table if not exists staging.loaded_partitions (
    account text not null,
    path text not null,
    size_bytes bigint not null,
    modified_ns bigint not null,
    primary key (account, path)
);

-- Luigi's markers: one row per task that is complete.
create table if not exists staging.table_updates (
    update_id text primary key,
    target_table text,
    inserted timestamptz default now()
);

-- Every dbt run and dbt test that succeeded, and up to which load it saw.
create table if not exists pipeline.dbt_runs (
    finished_at timestamptz not null default clock_timestamp(),
    step text not null check (step in ('run', 'test')),
    scope text not null check (scope in ('full', 'news')),
    slot timestamptz not null,
    loaded_through bigint not null,
    project_version text not null
);
create index if not exists dbt_runs_step on pipeline.dbt_runs (step, finished_at);
