-- The tables that pipeline/load writes, and the pipeline's own bookkeeping. Applied when a database lacks one of them. A
-- change of a table needs a new SCHEMA_VERSION; those that no file can fill (api_calls, library_reads) are altered here.
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

-- One row per artist, genre and time of asking; without a genre where none was found. Columns as in data/spotify_genres.
create table if not exists staging.spotify_genres (
    account text not null,
    artist_id text not null,
    artist_name text,
    artist_genre text,
    genre_source text,
    genre_votes integer,
    matched_by text,
    musicbrainz_id text,
    spotify_genres text,
    asked_date_utc date not null,
    last_updated_datetime_utc timestamptz not null,
    load_id bigint not null,
    unique nulls not distinct
    (account, asked_date_utc, last_updated_datetime_utc, artist_id, artist_genre, genre_source)
);
create index if not exists spotify_genres_artist on staging.spotify_genres (account, artist_id);

-- What happened to the library: a track was saved, a track was removed. Columns as in data/spotify_saved_tracks.
create table if not exists staging.spotify_saved_tracks (
    account text not null,
    observed_at_utc timestamptz not null,
    observed_date_utc date not null,
    event text not null check (event in ('saved', 'removed')),
    added_at_utc timestamptz,
    track_uri text not null,
    track_id text,
    isrc text,
    song_name text,
    artist_name text,
    artists jsonb not null,
    album_id text,
    album_name text,
    album_art_link text,
    song_link text,
    song_duration_ms integer,
    is_local boolean,
    load_id bigint not null,
    primary key (account, observed_date_utc, observed_at_utc, track_uri, event)
);

-- One row per row of the data export. Columns as in data/spotify_history, in that order.
create table if not exists staging.spotify_history (
    account text not null,
    played_date_utc date not null,
    -- As Spotify wrote it (`ts`): the end of the play, or when an offline device told of it. Whole seconds.
    played_at_utc timestamptz not null,
    -- Digest of what was played, for how long and, offline, when: tells rows of one second apart.
    row_id text not null,
    last_updated_datetime_utc timestamptz not null,
    ms_played bigint not null,
    track_uri text,
    track_name text,
    album_artist_name text,
    album_name text,
    episode_uri text,
    episode_name text,
    episode_show_name text,
    audiobook_uri text,
    audiobook_title text,
    audiobook_chapter_uri text,
    audiobook_chapter_title text,
    platform text,
    conn_country text,
    reason_start text,
    reason_end text,
    shuffle boolean,
    skipped boolean,
    offline boolean,
    incognito_mode boolean,
    -- As it came: milliseconds in older rows, seconds in newer, nonsense in some.
    offline_timestamp bigint,
    load_id bigint not null,
    primary key (account, played_date_utc, played_at_utc, row_id)
);
create index if not exists spotify_history_load_id on staging.spotify_history (load_id);

-- What a load brings carries its number.
alter table staging.spotify_songs alter column load_id set default current_setting('pipeline.load_id')::bigint;
alter table staging.spotify_genres alter column load_id set default current_setting('pipeline.load_id')::bigint;
alter table staging.spotify_saved_tracks alter column load_id set default current_setting('pipeline.load_id')::bigint;
alter table staging.spotify_history alter column load_id set default current_setting('pipeline.load_id')::bigint;

-- Receipts of imports, one row per file; from the records in data/imports. What was read is accounted for to the row.
create table if not exists pipeline.imports (
    account text not null,
    imported_at timestamptz not null,
    file_number integer not null,
    export text not null,
    digest text not null,
    file text not null,
    rows_read bigint not null,
    inserted bigint not null,
    already_there bigint not null,
    duplicates bigint not null,
    skipped bigint not null,
    failed bigint not null,
    skipped_entries jsonb not null,
    loaded_at timestamptz not null,
    primary key (account, imported_at, file_number),
    check (rows_read = inserted + already_there + duplicates + skipped + failed)
);

-- Reads of the library: one row per attempt.
create table if not exists pipeline.library_reads (
    account text not null,
    read_at timestamptz not null,
    slot timestamptz not null,
    outcome text not null,
    tracks integer,
    reason text,
    primary key (account, read_at)
);

-- The ledger: one row per poll, made or not; from the records in data/polls.
create table if not exists staging.polls (
    account text not null,
    fetched_at timestamptz not null,
    slot timestamptz not null,
    outcome text not null check (outcome in ('polled', 'paused', 'consent_ended', 'failed')),
    items integer,
    new_plays integer,
    skipped integer,
    unreadable integer,
    new_unreadable integer, -- null before version 2: then the numbers of unreadable entries are compared
    oldest timestamptz,
    newest timestamptz,
    overlap boolean,
    late_from timestamptz,
    calls_used integer not null,
    reason text,
    paused_until timestamptz,
    token_days_left integer,
    raw text,
    record text not null,
    primary key (account, fetched_at)
);
create index if not exists polls_record on staging.polls (account, record);
create index if not exists polls_evidence on staging.polls (account, fetched_at) where oldest is not null;
create index if not exists polls_with_loss on staging.polls (account, fetched_at)
where overlap is false or unreadable > 0 or late_from is not null;

-- Times that a data export covers: a gap inside one is closed. Written by the import.
create table if not exists staging.history_spans (
    account text not null,
    begins_at timestamptz not null,
    ends_at timestamptz not null,
    source text not null,
    imported_at timestamptz not null,
    primary key (account, begins_at, ends_at, source)
);

-- Calls of Spotify's Web API beside the polls (whose calls stand in staging.polls), per account and UTC day.
create table if not exists pipeline.api_calls (
    account text not null,
    day_utc date not null,
    purpose text not null,
    calls integer not null,
    primary key (account, day_utc, purpose)
);

-- Which version of which partition file, or folder of poll records, staging holds; path relative to the data folder.
create table if not exists staging.loaded_partitions (
    account text not null,
    path text not null,
    size_bytes bigint not null,
    modified_ns bigint not null,
    primary key (account, path)
);

-- Which version of this file the tables are of, in one row: SCHEMA_VERSION in pipeline/load/postgres.py.
create table if not exists staging.schema_version (
    version integer not null,
    program text not null,
    since timestamptz not null default clock_timestamp()
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
