SELECT pg_catalog.set_config('search_path', '', false);
CREATE SCHEMA pipeline;
CREATE SCHEMA staging;
CREATE TABLE staging.spotify_genres (
    account text NOT NULL,
    artist_id text NOT NULL,
    artist_name text,
    artist_genre text,
    genre_source text,
    genre_votes integer,
    matched_by text,
    musicbrainz_id text,
    spotify_genres text,
    asked_date_utc date NOT NULL,
    last_updated_datetime_utc timestamp with time zone NOT NULL,
    load_id bigint NOT NULL
);
CREATE VIEW staging.stg_spotify__artist_genres AS
 WITH askings AS (
         SELECT spotify_genres.account,
            spotify_genres.artist_id,
            spotify_genres.artist_name,
            spotify_genres.artist_genre,
            spotify_genres.genre_source,
            spotify_genres.genre_votes,
            spotify_genres.matched_by,
            spotify_genres.musicbrainz_id,
            spotify_genres.spotify_genres,
            spotify_genres.asked_date_utc,
            spotify_genres.last_updated_datetime_utc,
            spotify_genres.load_id,
            rank() OVER (PARTITION BY spotify_genres.account, spotify_genres.artist_id ORDER BY spotify_genres.last_updated_datetime_utc DESC) AS askings_ago
           FROM staging.spotify_genres
        )
 SELECT account,
    artist_id,
    artist_genre AS genre,
    genre_source,
    genre_votes,
    matched_by,
    musicbrainz_id,
    last_updated_datetime_utc AS asked_at
   FROM askings
  WHERE (askings_ago = 1);
CREATE TABLE staging.history_spans (
    account text NOT NULL,
    begins_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    source text NOT NULL,
    imported_at timestamp with time zone NOT NULL
);
CREATE TABLE staging.polls (
    account text NOT NULL,
    fetched_at timestamp with time zone NOT NULL,
    slot timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    items integer,
    new_plays integer,
    skipped integer,
    oldest timestamp with time zone,
    newest timestamp with time zone,
    overlap boolean,
    calls_used integer NOT NULL,
    reason text,
    paused_until timestamp with time zone,
    token_days_left integer,
    raw text,
    record text NOT NULL,
    CONSTRAINT polls_outcome_check CHECK ((outcome = ANY (ARRAY['polled'::text, 'paused'::text, 'consent_ended'::text, 'failed'::text])))
);
CREATE TABLE staging.spotify_songs (
    account text NOT NULL,
    played_at_utc timestamp with time zone NOT NULL,
    played_date_utc date NOT NULL,
    song_name text,
    artist_name text,
    song_duration_ms integer NOT NULL,
    song_link text,
    album_art_link text,
    album_name text,
    album_id text,
    artist_id text,
    track_id text,
    isrc text,
    track_uri text NOT NULL,
    is_local boolean,
    explicit boolean,
    disc_number integer,
    track_number integer,
    album_type text,
    album_release_date text,
    album_release_date_precision text,
    album_total_tracks integer,
    artists jsonb NOT NULL,
    album_artists jsonb NOT NULL,
    context_type text,
    context_uri text,
    last_updated_datetime_utc timestamp with time zone NOT NULL,
    load_id bigint NOT NULL
);
CREATE VIEW staging.stg_spotify__plays AS
 SELECT account,
    played_at_utc AS played_at,
    played_date_utc,
    track_uri,
    track_id,
    isrc,
    song_name AS track_name,
    song_duration_ms AS duration_ms,
    song_link AS track_url,
    is_local,
    explicit AS is_explicit,
    artists AS artist_credits,
    album_id,
    album_name,
    album_art_link AS album_art_url,
    last_updated_datetime_utc AS captured_at,
    load_id
   FROM staging.spotify_songs;
CREATE VIEW staging.stg_spotify__polls AS
 SELECT account,
    slot,
    fetched_at,
    outcome,
    items,
    new_plays,
    oldest AS oldest_played_at,
    newest AS newest_played_at,
    overlap AS is_overlapping,
    calls_used,
    reason,
    paused_until,
    token_days_left
   FROM staging.polls;
CREATE TABLE pipeline.api_calls (
    account text NOT NULL,
    day_utc date NOT NULL,
    purpose text NOT NULL,
    calls integer NOT NULL
);
CREATE TABLE pipeline.dbt_runs (
    finished_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    step text NOT NULL,
    scope text NOT NULL,
    slot timestamp with time zone NOT NULL,
    loaded_through bigint NOT NULL,
    project_version text NOT NULL,
    CONSTRAINT dbt_runs_scope_check CHECK ((scope = ANY (ARRAY['full'::text, 'news'::text]))),
    CONSTRAINT dbt_runs_step_check CHECK ((step = ANY (ARRAY['run'::text, 'test'::text])))
);
CREATE TABLE pipeline.library_reads (
    account text NOT NULL,
    read_at timestamp with time zone NOT NULL,
    slot timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    tracks integer,
    reason text
);
CREATE TABLE staging.spotify_saved_tracks (
    account text NOT NULL,
    observed_at_utc timestamp with time zone NOT NULL,
    observed_date_utc date NOT NULL,
    event text NOT NULL,
    added_at_utc timestamp with time zone,
    track_uri text NOT NULL,
    track_id text,
    isrc text,
    song_name text,
    artist_name text,
    artists jsonb NOT NULL,
    album_id text,
    album_name text,
    album_art_link text,
    song_link text,
    song_duration_ms integer,
    is_local boolean,
    load_id bigint NOT NULL,
    CONSTRAINT spotify_saved_tracks_event_check CHECK ((event = ANY (ARRAY['saved'::text, 'removed'::text])))
);
CREATE VIEW staging.stg_spotify__saved_tracks AS
 WITH events AS (
         SELECT spotify_saved_tracks.account,
            spotify_saved_tracks.observed_at_utc,
            spotify_saved_tracks.observed_date_utc,
            spotify_saved_tracks.event,
            spotify_saved_tracks.added_at_utc,
            spotify_saved_tracks.track_uri,
            spotify_saved_tracks.track_id,
            spotify_saved_tracks.isrc,
            spotify_saved_tracks.song_name,
            spotify_saved_tracks.artist_name,
            spotify_saved_tracks.artists,
            spotify_saved_tracks.album_id,
            spotify_saved_tracks.album_name,
            spotify_saved_tracks.album_art_link,
            spotify_saved_tracks.song_link,
            spotify_saved_tracks.song_duration_ms,
            spotify_saved_tracks.is_local,
            spotify_saved_tracks.load_id
           FROM staging.spotify_saved_tracks
        )
 SELECT DISTINCT ON (account, track_uri) account,
    track_uri,
    track_id,
    isrc,
    song_name AS track_name,
    artists AS artist_credits,
    album_name,
    album_art_link AS album_art_url,
    song_link AS track_url,
    added_at_utc AS added_at,
    (event = 'saved'::text) AS is_saved,
    observed_at_utc AS observed_at
   FROM events
  ORDER BY account, track_uri, observed_at_utc DESC, event DESC;
CREATE SEQUENCE staging.load_id
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE staging.loaded_partitions (
    account text NOT NULL,
    path text NOT NULL,
    size_bytes bigint NOT NULL,
    modified_ns bigint NOT NULL
);
CREATE TABLE staging.table_updates (
    update_id text NOT NULL,
    target_table text,
    inserted timestamp with time zone DEFAULT now()
);
INSERT INTO pipeline.api_calls VALUES ('me', '2026-11-25', 'saved tracks', 1);
INSERT INTO pipeline.api_calls VALUES ('me', '2026-11-25', 'genres', 1);
INSERT INTO pipeline.api_calls VALUES ('ann', '2026-11-25', 'saved tracks', 1);
INSERT INTO pipeline.api_calls VALUES ('ann', '2026-11-25', 'genres', 1);
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:38:12.416246+00', 'run', 'full', '2026-11-22 14:00:00+00', 1, 'e71553d837eeece8');
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:38:13.454218+00', 'test', 'full', '2026-11-22 14:00:00+00', 1, 'e71553d837eeece8');
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:38:17.363123+00', 'run', 'news', '2026-11-22 14:30:00+00', 4, 'e71553d837eeece8');
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:38:17.926789+00', 'test', 'news', '2026-11-22 14:30:00+00', 4, 'e71553d837eeece8');
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:38:21.899731+00', 'run', 'news', '2026-11-22 14:30:00+00', 5, 'e71553d837eeece8');
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:38:23.287746+00', 'test', 'news', '2026-11-22 14:30:00+00', 5, 'e71553d837eeece8');
INSERT INTO pipeline.library_reads VALUES ('me', '2026-11-25 16:38:13.467356+00', '2026-11-22 14:00:00+00', 'complete', 1, NULL);
INSERT INTO pipeline.library_reads VALUES ('ann', '2026-11-25 16:38:23.300879+00', '2026-11-22 14:30:00+00', 'unchanged', 0, NULL);
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_songs/account=me/2026/11/2026-11-21.csv', 1841, 1795624686841564344);
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_saved_tracks/account=me/2026/11/2026-11-25.csv', 566, 1795624693477737891);
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_genres/account=me/2026/11/2026-11-25.csv', 383, 1795624693578722306);
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_songs/account=me/2026/11/2026-11-22.csv', 1344, 1795624694493815860);
INSERT INTO staging.loaded_partitions VALUES ('me', 'polls/account=me/2026/11', 0, 1795624694495993087);
INSERT INTO staging.loaded_partitions VALUES ('ann', 'spotify_songs/account=ann/2026/11/2026-11-21.csv', 2346, 1795624698377687000);
INSERT INTO staging.loaded_partitions VALUES ('ann', 'polls/account=ann/2026/11', 0, 1795624698383427989);
INSERT INTO staging.polls VALUES ('me', '2026-11-25 16:38:06.824256+00', '2026-11-22 14:00:00+00', 'polled', 3, 3, 0, '2026-11-21 18:00:00+00', '2026-11-21 18:08:00+00', NULL, 3, NULL, NULL, NULL, 'raw/recently_played/account=me/2026/11/20261125T163806.824256Z.json.gz', 'polls/account=me/2026/11/2026-11-22T1400.json');
INSERT INTO staging.polls VALUES ('me', '2026-11-25 16:38:14.490293+00', '2026-11-22 14:30:00+00', 'polled', 6, 2, 1, '2026-11-21 18:00:00+00', '2026-11-22 08:04:00+00', true, 1, NULL, NULL, 179, 'raw/recently_played/account=me/2026/11/20261125T163814.490293Z.json.gz', 'polls/account=me/2026/11/2026-11-22T1430.json');
INSERT INTO staging.polls VALUES ('ann', '2026-11-25 16:38:18.368359+00', '2026-11-22 14:30:00+00', 'polled', 4, 4, 0, '2026-11-21 18:00:00+00', '2026-11-21 18:12:00+00', NULL, 3, NULL, NULL, NULL, 'raw/recently_played/account=ann/2026/11/20261125T163818.368359Z.json.gz', 'polls/account=ann/2026/11/2026-11-22T1430.json');
INSERT INTO staging.spotify_genres VALUES ('me', 'artist0000000000000001', 'Velvet Harbour', 'dream pop', 'spotify', NULL, 'artist_id', NULL, 'listed', '2026-11-25', '2026-11-25 16:38:13.528142+00', 3);
INSERT INTO staging.spotify_genres VALUES ('me', 'artist0000000000000001', 'Velvet Harbour', 'slowcore', 'spotify', NULL, 'artist_id', NULL, 'listed', '2026-11-25', '2026-11-25 16:38:13.528142+00', 3);
INSERT INTO staging.spotify_saved_tracks VALUES ('me', '2026-11-25 16:38:13.467356+00', '2026-11-25', 'saved', '2026-11-01 10:00:00+00', 'spotify:track:0000000000000000000077', '0000000000000000000077', 'QZAAA2491657', 'Never played', 'Velvet Harbour', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', 'album00000000000000001', 'Paper Lanterns', 'https://i.scdn.co/image/large', 'https://open.spotify.com/track/NeverPlayed00000000000', 210000, false, 2);
INSERT INTO staging.spotify_songs VALUES ('me', '2026-11-21 18:00:00+00', '2026-11-21', 'Song 0', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song000000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song000000000000000000', 'QZAAA2497341', 'spotify:track:Song000000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:38:06.824256+00', 1);
INSERT INTO staging.spotify_songs VALUES ('me', '2026-11-21 18:04:00+00', '2026-11-21', 'Song 1', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song100000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song100000000000000000', 'QZAAA2473771', 'spotify:track:Song100000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:38:06.824256+00', 1);
INSERT INTO staging.spotify_songs VALUES ('me', '2026-11-21 18:08:00+00', '2026-11-21', 'Song 2', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song200000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song200000000000000000', 'QZAAA2463729', 'spotify:track:Song200000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:38:06.824256+00', 1);
INSERT INTO staging.spotify_songs VALUES ('me', '2026-11-22 08:00:00+00', '2026-11-22', 'Song 7', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song700000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song700000000000000000', 'QZAAA2438846', 'spotify:track:Song700000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:38:14.490293+00', 4);
INSERT INTO staging.spotify_songs VALUES ('me', '2026-11-22 08:04:00+00', '2026-11-22', 'Song 8', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song800000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song800000000000000000', 'QZAAA2408431', 'spotify:track:Song800000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:38:14.490293+00', 4);
INSERT INTO staging.spotify_songs VALUES ('ann', '2026-11-21 18:00:00+00', '2026-11-21', 'Song 20', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song200000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song200000000000000000', 'QZAAA2474736', 'spotify:track:Song200000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:38:18.368359+00', 5);
INSERT INTO staging.spotify_songs VALUES ('ann', '2026-11-21 18:04:00+00', '2026-11-21', 'Song 21', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song210000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song210000000000000000', 'QZAAA2413574', 'spotify:track:Song210000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:38:18.368359+00', 5);
INSERT INTO staging.spotify_songs VALUES ('ann', '2026-11-21 18:08:00+00', '2026-11-21', 'Song 22', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song220000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song220000000000000000', 'QZAAA2435548', 'spotify:track:Song220000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:38:18.368359+00', 5);
INSERT INTO staging.spotify_songs VALUES ('ann', '2026-11-21 18:12:00+00', '2026-11-21', 'Song 23', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song230000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song230000000000000000', 'QZAAA2436298', 'spotify:track:Song230000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:38:18.368359+00', 5);
INSERT INTO staging.table_updates VALUES ('CopyToStaging account=me 2026-11-22T1400', 'staging.spotify_songs', '2026-11-25 16:38:06.860459+00');
INSERT INTO staging.table_updates VALUES ('DbtRun account=me 2026-11-22T1400', 'marts', '2026-11-25 16:38:12.415712+00');
INSERT INTO staging.table_updates VALUES ('DbtTest account=me 2026-11-22T1400', 'marts', '2026-11-25 16:38:13.453533+00');
INSERT INTO staging.table_updates VALUES ('SyncSavedTracks account=me 2026-11-22T1400', 'staging.spotify_saved_tracks', '2026-11-25 16:38:13.504369+00');
INSERT INTO staging.table_updates VALUES ('EnrichGenres account=me 2026-11-22T1400', 'staging.spotify_genres', '2026-11-25 16:38:13.612464+00');
INSERT INTO staging.table_updates VALUES ('CopyToStaging account=me 2026-11-22T1430', 'staging.spotify_songs', '2026-11-25 16:38:14.502903+00');
INSERT INTO staging.table_updates VALUES ('DbtRun account=me 2026-11-22T1430', 'marts', '2026-11-25 16:38:17.362191+00');
INSERT INTO staging.table_updates VALUES ('DbtTest account=me 2026-11-22T1430', 'marts', '2026-11-25 16:38:17.926+00');
INSERT INTO staging.table_updates VALUES ('SyncSavedTracks account=me 2026-11-22T1430', 'staging.spotify_saved_tracks', '2026-11-25 16:38:17.941603+00');
INSERT INTO staging.table_updates VALUES ('EnrichGenres account=me 2026-11-22T1430', 'staging.spotify_genres', '2026-11-25 16:38:17.957053+00');
INSERT INTO staging.table_updates VALUES ('CopyToStaging account=ann 2026-11-22T1430', 'staging.spotify_songs', '2026-11-25 16:38:18.396604+00');
INSERT INTO staging.table_updates VALUES ('DbtRun account=ann 2026-11-22T1430', 'marts', '2026-11-25 16:38:21.898633+00');
INSERT INTO staging.table_updates VALUES ('DbtTest account=ann 2026-11-22T1430', 'marts', '2026-11-25 16:38:23.286929+00');
INSERT INTO staging.table_updates VALUES ('SyncSavedTracks account=ann 2026-11-22T1430', 'staging.spotify_saved_tracks', '2026-11-25 16:38:23.327134+00');
INSERT INTO staging.table_updates VALUES ('EnrichGenres account=ann 2026-11-22T1430', 'staging.spotify_genres', '2026-11-25 16:38:24.371162+00');
SELECT pg_catalog.setval('staging.load_id', 5, true);
ALTER TABLE ONLY pipeline.api_calls
    ADD CONSTRAINT api_calls_pkey PRIMARY KEY (account, day_utc, purpose);
ALTER TABLE ONLY pipeline.library_reads
    ADD CONSTRAINT library_reads_pkey PRIMARY KEY (account, read_at);
ALTER TABLE ONLY staging.history_spans
    ADD CONSTRAINT history_spans_pkey PRIMARY KEY (account, begins_at, ends_at, source);
ALTER TABLE ONLY staging.loaded_partitions
    ADD CONSTRAINT loaded_partitions_pkey PRIMARY KEY (account, path);
ALTER TABLE ONLY staging.polls
    ADD CONSTRAINT polls_pkey PRIMARY KEY (account, fetched_at);
ALTER TABLE ONLY staging.spotify_genres
    ADD CONSTRAINT spotify_genres_account_asked_date_utc_last_updated_datetime_key UNIQUE NULLS NOT DISTINCT (account, asked_date_utc, last_updated_datetime_utc, artist_id, artist_genre, genre_source);
ALTER TABLE ONLY staging.spotify_saved_tracks
    ADD CONSTRAINT spotify_saved_tracks_pkey PRIMARY KEY (account, observed_date_utc, observed_at_utc, track_uri, event);
ALTER TABLE ONLY staging.spotify_songs
    ADD CONSTRAINT spotify_songs_pkey PRIMARY KEY (account, played_date_utc, played_at_utc, track_uri);
ALTER TABLE ONLY staging.table_updates
    ADD CONSTRAINT table_updates_pkey PRIMARY KEY (update_id);
CREATE INDEX dbt_runs_step ON pipeline.dbt_runs USING btree (step, finished_at);
CREATE INDEX polls_evidence ON staging.polls USING btree (account, fetched_at) WHERE (items > 0);
CREATE INDEX polls_no_overlap ON staging.polls USING btree (account, fetched_at) WHERE (overlap IS FALSE);
CREATE INDEX polls_record ON staging.polls USING btree (account, record);
CREATE INDEX spotify_genres_artist ON staging.spotify_genres USING btree (account, artist_id);
CREATE INDEX spotify_songs_load_id ON staging.spotify_songs USING btree (load_id);
