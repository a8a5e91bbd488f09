SELECT pg_catalog.set_config('search_path', '', false);
CREATE SCHEMA pipeline;
CREATE SCHEMA staging;
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
CREATE TABLE staging.spotify_genres (
    account text NOT NULL,
    artist_id text NOT NULL,
    artist_name text,
    artist_genre text,
    genre_source text,
    last_updated_datetime_utc timestamp with time zone NOT NULL
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
CREATE TABLE staging.table_updates (
    update_id text NOT NULL,
    target_table text,
    inserted timestamp with time zone DEFAULT now()
);
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:37:34.167313+00', 'run', 'full', '2026-11-22 14:00:00+00', 1, '5e0952c5faa6196c');
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:37:34.872246+00', 'test', 'full', '2026-11-22 14:00:00+00', 1, '5e0952c5faa6196c');
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:37:38.515269+00', 'run', 'news', '2026-11-22 14:30:00+00', 2, '5e0952c5faa6196c');
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:37:39.291213+00', 'test', 'news', '2026-11-22 14:30:00+00', 2, '5e0952c5faa6196c');
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:37:44.251335+00', 'run', 'news', '2026-11-22 14:30:00+00', 3, '5e0952c5faa6196c');
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:37:45.316935+00', 'test', 'news', '2026-11-22 14:30:00+00', 3, '5e0952c5faa6196c');
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_songs/account=me/2026/11/2026-11-21.csv', 1841, 1795624650316243923);
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_songs/account=me/2026/11/2026-11-22.csv', 1344, 1795624655694861350);
INSERT INTO staging.loaded_partitions VALUES ('ann', 'spotify_songs/account=ann/2026/11/2026-11-21.csv', 2346, 1795624659762887010);
INSERT INTO staging.spotify_genres VALUES ('me', 'artist0000000000000001', 'Velvet Harbour', NULL, NULL, '2026-11-25 16:37:35.691791+00');
INSERT INTO staging.spotify_genres VALUES ('ann', 'artist0000000000000001', 'Velvet Harbour', NULL, NULL, '2026-11-25 16:37:39.744608+00');
INSERT INTO staging.spotify_songs VALUES ('me', '2026-11-21 18:00:00+00', '2026-11-21', 'Song 0', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song000000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song000000000000000000', 'QZAAA2497341', 'spotify:track:Song000000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:37:30.312868+00', 1);
INSERT INTO staging.spotify_songs VALUES ('me', '2026-11-21 18:04:00+00', '2026-11-21', 'Song 1', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song100000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song100000000000000000', 'QZAAA2473771', 'spotify:track:Song100000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:37:30.312868+00', 1);
INSERT INTO staging.spotify_songs VALUES ('me', '2026-11-21 18:08:00+00', '2026-11-21', 'Song 2', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song200000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song200000000000000000', 'QZAAA2463729', 'spotify:track:Song200000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:37:30.312868+00', 1);
INSERT INTO staging.spotify_songs VALUES ('me', '2026-11-22 08:00:00+00', '2026-11-22', 'Song 7', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song700000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song700000000000000000', 'QZAAA2438846', 'spotify:track:Song700000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:37:35.691791+00', 2);
INSERT INTO staging.spotify_songs VALUES ('me', '2026-11-22 08:04:00+00', '2026-11-22', 'Song 8', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song800000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song800000000000000000', 'QZAAA2408431', 'spotify:track:Song800000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:37:35.691791+00', 2);
INSERT INTO staging.spotify_songs VALUES ('ann', '2026-11-21 18:00:00+00', '2026-11-21', 'Song 20', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song200000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song200000000000000000', 'QZAAA2474736', 'spotify:track:Song200000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:37:39.744608+00', 3);
INSERT INTO staging.spotify_songs VALUES ('ann', '2026-11-21 18:04:00+00', '2026-11-21', 'Song 21', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song210000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song210000000000000000', 'QZAAA2413574', 'spotify:track:Song210000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:37:39.744608+00', 3);
INSERT INTO staging.spotify_songs VALUES ('ann', '2026-11-21 18:08:00+00', '2026-11-21', 'Song 22', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song220000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song220000000000000000', 'QZAAA2435548', 'spotify:track:Song220000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:37:39.744608+00', 3);
INSERT INTO staging.spotify_songs VALUES ('ann', '2026-11-21 18:12:00+00', '2026-11-21', 'Song 23', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song230000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song230000000000000000', 'QZAAA2436298', 'spotify:track:Song230000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:37:39.744608+00', 3);
INSERT INTO staging.table_updates VALUES ('CopyToStaging account=me 2026-11-22T1400', 'staging.spotify_songs', '2026-11-25 16:37:30.329838+00');
INSERT INTO staging.table_updates VALUES ('DbtRun account=me 2026-11-22T1400', 'marts', '2026-11-25 16:37:34.164172+00');
INSERT INTO staging.table_updates VALUES ('DbtTest account=me 2026-11-22T1400', 'marts', '2026-11-25 16:37:34.871715+00');
INSERT INTO staging.table_updates VALUES ('CopyToStaging account=me 2026-11-22T1430', 'staging.spotify_songs', '2026-11-25 16:37:35.707995+00');
INSERT INTO staging.table_updates VALUES ('DbtRun account=me 2026-11-22T1430', 'marts', '2026-11-25 16:37:38.514646+00');
INSERT INTO staging.table_updates VALUES ('DbtTest account=me 2026-11-22T1430', 'marts', '2026-11-25 16:37:39.29057+00');
INSERT INTO staging.table_updates VALUES ('CopyToStaging account=ann 2026-11-22T1430', 'staging.spotify_songs', '2026-11-25 16:37:39.79864+00');
INSERT INTO staging.table_updates VALUES ('DbtRun account=ann 2026-11-22T1430', 'marts', '2026-11-25 16:37:44.250749+00');
INSERT INTO staging.table_updates VALUES ('DbtTest account=ann 2026-11-22T1430', 'marts', '2026-11-25 16:37:45.314643+00');
SELECT pg_catalog.setval('staging.load_id', 3, true);
ALTER TABLE ONLY staging.loaded_partitions
    ADD CONSTRAINT loaded_partitions_pkey PRIMARY KEY (account, path);
ALTER TABLE ONLY staging.spotify_genres
    ADD CONSTRAINT spotify_genres_account_artist_id_artist_genre_genre_source_key UNIQUE NULLS NOT DISTINCT (account, artist_id, artist_genre, genre_source);
ALTER TABLE ONLY staging.spotify_songs
    ADD CONSTRAINT spotify_songs_pkey PRIMARY KEY (account, played_date_utc, played_at_utc, track_uri);
ALTER TABLE ONLY staging.table_updates
    ADD CONSTRAINT table_updates_pkey PRIMARY KEY (update_id);
CREATE INDEX dbt_runs_step ON pipeline.dbt_runs USING btree (step, finished_at);
CREATE INDEX spotify_songs_load_id ON staging.spotify_songs USING btree (load_id);
