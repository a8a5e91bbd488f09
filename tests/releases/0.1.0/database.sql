SELECT pg_catalog.set_config('search_path', '', false);
CREATE SCHEMA pipeline;
CREATE SCHEMA staging;
CREATE TABLE staging.polls (
    account text NOT NULL,
    fetched_at timestamp with time zone NOT NULL,
    slot timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    items integer,
    new_plays integer,
    skipped integer,
    unreadable integer,
    oldest timestamp with time zone,
    newest timestamp with time zone,
    overlap boolean,
    late_from timestamp with time zone,
    calls_used integer NOT NULL,
    reason text,
    paused_until timestamp with time zone,
    token_days_left integer,
    raw text,
    record text NOT NULL,
    CONSTRAINT polls_outcome_check CHECK ((outcome = ANY (ARRAY['polled'::text, 'paused'::text, 'consent_ended'::text, 'failed'::text])))
);
CREATE VIEW staging.stg_spotify__polls AS
 SELECT account,
    slot,
    fetched_at,
    outcome,
    items,
    new_plays,
    unreadable,
    oldest AS oldest_played_at,
    newest AS newest_played_at,
    overlap AS is_overlapping,
    late_from,
    calls_used,
    reason,
    paused_until,
    token_days_left
   FROM staging.polls;
CREATE TABLE staging.history_spans (
    account text NOT NULL,
    begins_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    source text NOT NULL,
    imported_at timestamp with time zone NOT NULL
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
    load_id bigint DEFAULT (current_setting('pipeline.load_id'::text))::bigint NOT NULL
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
    album_artists AS album_artist_credits,
    album_id,
    album_name,
    album_art_link AS album_art_url,
    album_type,
    album_release_date,
    album_release_date_precision,
    album_total_tracks,
    disc_number,
    track_number,
    last_updated_datetime_utc AS captured_at,
    load_id
   FROM staging.spotify_songs;
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
    load_id bigint DEFAULT (current_setting('pipeline.load_id'::text))::bigint NOT NULL
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
CREATE TABLE pipeline.imports (
    account text NOT NULL,
    imported_at timestamp with time zone NOT NULL,
    file_number integer NOT NULL,
    export text NOT NULL,
    digest text NOT NULL,
    file text NOT NULL,
    rows_read bigint NOT NULL,
    inserted bigint NOT NULL,
    already_there bigint NOT NULL,
    duplicates bigint NOT NULL,
    skipped bigint NOT NULL,
    failed bigint NOT NULL,
    skipped_entries jsonb NOT NULL,
    loaded_at timestamp with time zone NOT NULL,
    CONSTRAINT imports_check CHECK ((rows_read = ((((inserted + already_there) + duplicates) + skipped) + failed)))
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
    load_id bigint DEFAULT (current_setting('pipeline.load_id'::text))::bigint NOT NULL,
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
CREATE TABLE staging.schema_version (
    version integer NOT NULL,
    program text NOT NULL,
    since timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
CREATE TABLE staging.spotify_history (
    account text NOT NULL,
    played_date_utc date NOT NULL,
    played_at_utc timestamp with time zone NOT NULL,
    row_id text NOT NULL,
    last_updated_datetime_utc timestamp with time zone NOT NULL,
    ms_played bigint NOT NULL,
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
    offline_timestamp bigint,
    load_id bigint DEFAULT (current_setting('pipeline.load_id'::text))::bigint NOT NULL
);
CREATE VIEW staging.stg_spotify__history AS
 SELECT account,
    played_at_utc AS reported_at,
    played_date_utc AS reported_date_utc,
    row_id,
        CASE
            WHEN COALESCE(
            CASE
                WHEN (offline AND ((ms_played >= 0) AND (ms_played <= '2678460000'::bigint))) THEN ((
                CASE
                    WHEN (offline_timestamp > '100000000000'::bigint) THEN offline_timestamp
                    WHEN (offline_timestamp >= 1000000000) THEN (offline_timestamp * 1000)
                    ELSE NULL::bigint
                END >= (((EXTRACT(epoch FROM played_at_utc) * (1000)::numeric))::bigint - '2678400000'::bigint)) AND (
                CASE
                    WHEN (offline_timestamp > '100000000000'::bigint) THEN offline_timestamp
                    WHEN (offline_timestamp >= 1000000000) THEN (offline_timestamp * 1000)
                    ELSE NULL::bigint
                END <= ((((EXTRACT(epoch FROM played_at_utc) * (1000)::numeric))::bigint + 60000) - ms_played)))
                ELSE NULL::boolean
            END, false) THEN (('1970-01-01 00:00:00+00'::timestamp with time zone + ((
            CASE
                WHEN (offline_timestamp > '100000000000'::bigint) THEN offline_timestamp
                WHEN (offline_timestamp >= 1000000000) THEN (offline_timestamp * 1000)
                ELSE NULL::bigint
            END)::double precision * '00:00:00.001'::interval)) + ((ms_played)::double precision * '00:00:00.001'::interval))
            ELSE played_at_utc
        END AS played_at,
    ((
        CASE
            WHEN COALESCE(
            CASE
                WHEN (offline AND ((ms_played >= 0) AND (ms_played <= '2678460000'::bigint))) THEN ((
                CASE
                    WHEN (offline_timestamp > '100000000000'::bigint) THEN offline_timestamp
                    WHEN (offline_timestamp >= 1000000000) THEN (offline_timestamp * 1000)
                    ELSE NULL::bigint
                END >= (((EXTRACT(epoch FROM played_at_utc) * (1000)::numeric))::bigint - '2678400000'::bigint)) AND (
                CASE
                    WHEN (offline_timestamp > '100000000000'::bigint) THEN offline_timestamp
                    WHEN (offline_timestamp >= 1000000000) THEN (offline_timestamp * 1000)
                    ELSE NULL::bigint
                END <= ((((EXTRACT(epoch FROM played_at_utc) * (1000)::numeric))::bigint + 60000) - ms_played)))
                ELSE NULL::boolean
            END, false) THEN (('1970-01-01 00:00:00+00'::timestamp with time zone + ((
            CASE
                WHEN (offline_timestamp > '100000000000'::bigint) THEN offline_timestamp
                WHEN (offline_timestamp >= 1000000000) THEN (offline_timestamp * 1000)
                ELSE NULL::bigint
            END)::double precision * '00:00:00.001'::interval)) + ((ms_played)::double precision * '00:00:00.001'::interval))
            ELSE played_at_utc
        END AT TIME ZONE 'UTC'::text))::date AS played_date_utc,
        CASE
            WHEN COALESCE(
            CASE
                WHEN (offline AND ((ms_played >= 0) AND (ms_played <= '2678460000'::bigint))) THEN ((
                CASE
                    WHEN (offline_timestamp > '100000000000'::bigint) THEN offline_timestamp
                    WHEN (offline_timestamp >= 1000000000) THEN (offline_timestamp * 1000)
                    ELSE NULL::bigint
                END >= (((EXTRACT(epoch FROM played_at_utc) * (1000)::numeric))::bigint - '2678400000'::bigint)) AND (
                CASE
                    WHEN (offline_timestamp > '100000000000'::bigint) THEN offline_timestamp
                    WHEN (offline_timestamp >= 1000000000) THEN (offline_timestamp * 1000)
                    ELSE NULL::bigint
                END <= ((((EXTRACT(epoch FROM played_at_utc) * (1000)::numeric))::bigint + 60000) - ms_played)))
                ELSE NULL::boolean
            END, false) THEN ('1970-01-01 00:00:00+00'::timestamp with time zone + ((
            CASE
                WHEN (offline_timestamp > '100000000000'::bigint) THEN offline_timestamp
                WHEN (offline_timestamp >= 1000000000) THEN (offline_timestamp * 1000)
                ELSE NULL::bigint
            END)::double precision * '00:00:00.001'::interval))
            ELSE (played_at_utc - ((LEAST(GREATEST(ms_played, (0)::bigint), '2678400000'::bigint))::double precision * '00:00:00.001'::interval))
        END AS started_at,
    COALESCE(
        CASE
            WHEN (offline AND ((ms_played >= 0) AND (ms_played <= '2678460000'::bigint))) THEN ((
            CASE
                WHEN (offline_timestamp > '100000000000'::bigint) THEN offline_timestamp
                WHEN (offline_timestamp >= 1000000000) THEN (offline_timestamp * 1000)
                ELSE NULL::bigint
            END >= (((EXTRACT(epoch FROM played_at_utc) * (1000)::numeric))::bigint - '2678400000'::bigint)) AND (
            CASE
                WHEN (offline_timestamp > '100000000000'::bigint) THEN offline_timestamp
                WHEN (offline_timestamp >= 1000000000) THEN (offline_timestamp * 1000)
                ELSE NULL::bigint
            END <= ((((EXTRACT(epoch FROM played_at_utc) * (1000)::numeric))::bigint + 60000) - ms_played)))
            ELSE NULL::boolean
        END, false) AS is_dated_by_device,
    ms_played,
        CASE
            WHEN ((track_uri IS NOT NULL) OR (track_name IS NOT NULL)) THEN 'track'::text
            WHEN (COALESCE(audiobook_uri, audiobook_title, audiobook_chapter_uri, audiobook_chapter_title) IS NOT NULL) THEN 'audiobook'::text
            WHEN (COALESCE(episode_uri, episode_name, episode_show_name) IS NOT NULL) THEN 'episode'::text
            ELSE 'unknown'::text
        END AS content_type,
        CASE
            WHEN ((track_uri IS NOT NULL) OR (track_name IS NOT NULL)) THEN COALESCE(track_uri, ('name:'::text || md5(lower(((((COALESCE(track_name, ''::text) || '|'::text) || COALESCE(album_artist_name, ''::text)) || '|'::text) || COALESCE(album_name, ''::text))))))
            WHEN (COALESCE(audiobook_uri, audiobook_title, audiobook_chapter_uri, audiobook_chapter_title) IS NOT NULL) THEN COALESCE(audiobook_chapter_uri, audiobook_uri, ('name:'::text || md5(lower(((COALESCE(audiobook_chapter_title, ''::text) || '|'::text) || COALESCE(audiobook_title, ''::text))))))
            WHEN (COALESCE(episode_uri, episode_name, episode_show_name) IS NOT NULL) THEN COALESCE(episode_uri, ('name:'::text || md5(lower(((COALESCE(episode_name, ''::text) || '|'::text) || COALESCE(episode_show_name, ''::text))))))
            ELSE 'unknown'::text
        END AS track_uri,
    track_name,
    album_artist_name,
    album_name,
        CASE
            WHEN ((track_uri IS NOT NULL) OR (track_name IS NOT NULL)) THEN NULL::text
            WHEN (COALESCE(audiobook_uri, audiobook_title, audiobook_chapter_uri, audiobook_chapter_title) IS NOT NULL) THEN COALESCE(audiobook_chapter_title, audiobook_title)
            ELSE episode_name
        END AS spoken_title,
        CASE
            WHEN ((track_uri IS NOT NULL) OR (track_name IS NOT NULL)) THEN NULL::text
            WHEN (COALESCE(audiobook_uri, audiobook_title, audiobook_chapter_uri, audiobook_chapter_title) IS NOT NULL) THEN audiobook_title
            ELSE episode_show_name
        END AS show_title,
    platform,
    conn_country,
    reason_start,
    reason_end,
    shuffle,
    skipped,
    (offline IS TRUE) AS is_offline,
    incognito_mode AS is_private,
    last_updated_datetime_utc AS captured_at,
    load_id
   FROM staging.spotify_history;
CREATE TABLE staging.table_updates (
    update_id text NOT NULL,
    target_table text,
    inserted timestamp with time zone DEFAULT now()
);
INSERT INTO pipeline.api_calls VALUES ('me', '2026-11-25', 'saved tracks', 1);
INSERT INTO pipeline.api_calls VALUES ('me', '2026-11-25', 'genres', 1);
INSERT INTO pipeline.api_calls VALUES ('ann', '2026-11-25', 'saved tracks', 1);
INSERT INTO pipeline.api_calls VALUES ('ann', '2026-11-25', 'genres', 1);
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:39:45.570107+00', 'run', 'full', '2026-11-22 14:00:00+00', 1, 'ed7b59b79fc350df');
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:39:47.786778+00', 'test', 'full', '2026-11-22 14:00:00+00', 1, 'ed7b59b79fc350df');
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:39:57.377549+00', 'run', 'news', '2026-11-25 16:39:51.834806+00', 4, 'ed7b59b79fc350df');
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:40:00.07638+00', 'test', 'full', '2026-11-25 16:39:57.38168+00', 4, 'ed7b59b79fc350df');
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:40:07.649117+00', 'run', 'news', '2026-11-22 14:30:00+00', 5, 'ed7b59b79fc350df');
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:40:08.33922+00', 'test', 'news', '2026-11-22 14:30:00+00', 5, 'ed7b59b79fc350df');
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:40:14.826844+00', 'run', 'news', '2026-11-22 14:30:00+00', 6, 'ed7b59b79fc350df');
INSERT INTO pipeline.dbt_runs VALUES ('2026-11-25 16:40:15.562405+00', 'test', 'news', '2026-11-22 14:30:00+00', 6, 'ed7b59b79fc350df');
INSERT INTO pipeline.imports VALUES ('me', '2026-11-25 16:39:51.722491+00', 0, 'export.zip', '1b3f56bf0ca513b48ead61c524eed9d40fb2169af3da4b6b1306539c9671533a', 'Streaming_History_Audio_2022_0.json', 7, 7, 0, 0, 0, 0, '{}', '2026-11-25 16:39:51.808679+00');
INSERT INTO pipeline.library_reads VALUES ('me', '2026-11-25 16:39:47.824243+00', '2026-11-22 14:00:00+00', 'complete', 1, NULL);
INSERT INTO pipeline.library_reads VALUES ('ann', '2026-11-25 16:40:15.580428+00', '2026-11-22 14:30:00+00', 'unchanged', 0, NULL);
INSERT INTO staging.history_spans VALUES ('me', '2026-11-01 10:00:00+00', '2026-11-07 10:00:00+00', 'export.zip', '2026-11-25 16:39:51.722491+00');
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_songs/account=me/2026/11/2026-11-21.csv', 1841, 1795624773817301728);
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_saved_tracks/account=me/2026/11/2026-11-25.csv', 566, 1795624787853649921);
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_genres/account=me/2026/11/2026-11-25.csv', 383, 1795624787934780433);
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_history/account=me/2026/11/2026-11-01.csv', 539, 1795624791756459837);
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_history/account=me/2026/11/2026-11-02.csv', 540, 1795624791758815842);
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_history/account=me/2026/11/2026-11-03.csv', 540, 1795624791762789337);
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_history/account=me/2026/11/2026-11-04.csv', 540, 1795624791766796352);
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_history/account=me/2026/11/2026-11-05.csv', 540, 1795624791770791529);
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_history/account=me/2026/11/2026-11-06.csv', 540, 1795624791772401709);
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_history/account=me/2026/11/2026-11-07.csv', 540, 1795624791772923659);
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_songs/account=me/2026/11/2026-11-22.csv', 1344, 1795624802355911998);
INSERT INTO staging.loaded_partitions VALUES ('me', 'polls/account=me/2026/11', 0, 1795624802378508693);
INSERT INTO staging.loaded_partitions VALUES ('me', 'spotify_history/account=me', 1, 879440095);
INSERT INTO staging.loaded_partitions VALUES ('ann', 'spotify_songs/account=ann/2026/11/2026-11-21.csv', 2346, 1795624809494780935);
INSERT INTO staging.loaded_partitions VALUES ('ann', 'polls/account=ann/2026/11', 0, 1795624809499765082);
INSERT INTO staging.polls VALUES ('me', '2026-11-25 16:39:33.800847+00', '2026-11-22 14:00:00+00', 'polled', 3, 3, 0, 0, '2026-11-21 18:00:00+00', '2026-11-21 18:08:00+00', NULL, NULL, 3, NULL, NULL, NULL, 'raw/recently_played/account=me/2026/11/20261125T163933.800847Z.json.gz', 'polls/account=me/2026/11/2026-11-22T1400.json');
INSERT INTO staging.polls VALUES ('me', '2026-11-25 16:40:02.348388+00', '2026-11-22 14:30:00+00', 'polled', 6, 2, 1, 1, '2026-11-21 18:00:00+00', '2026-11-22 08:04:00+00', true, NULL, 1, NULL, NULL, 179, 'raw/recently_played/account=me/2026/11/20261125T164002.348388Z.json.gz', 'polls/account=me/2026/11/2026-11-22T1430.json');
INSERT INTO staging.polls VALUES ('ann', '2026-11-25 16:40:09.488641+00', '2026-11-22 14:30:00+00', 'polled', 4, 4, 0, 0, '2026-11-21 18:00:00+00', '2026-11-21 18:12:00+00', NULL, NULL, 3, NULL, NULL, NULL, 'raw/recently_played/account=ann/2026/11/20261125T164009.488641Z.json.gz', 'polls/account=ann/2026/11/2026-11-22T1430.json');
INSERT INTO staging.schema_version VALUES (1, '0.1.0', '2026-11-25 16:39:33.88359+00');
INSERT INTO staging.spotify_genres VALUES ('me', 'artist0000000000000001', 'Velvet Harbour', 'dream pop', 'spotify', NULL, 'artist_id', NULL, 'listed', '2026-11-25', '2026-11-25 16:39:47.894793+00', 3);
INSERT INTO staging.spotify_genres VALUES ('me', 'artist0000000000000001', 'Velvet Harbour', 'slowcore', 'spotify', NULL, 'artist_id', NULL, 'listed', '2026-11-25', '2026-11-25 16:39:47.894793+00', 3);
INSERT INTO staging.spotify_history VALUES ('me', '2026-11-01', '2026-11-01 10:00:00+00', '236e49e433112f7b', '2026-11-25 16:39:51.722491+00', 9001, 'spotify:track:song1', 'Song 1', 'Somebody', 'Album', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'ios', 'DE', 'trackdone', 'trackdone', false, false, false, false, NULL, 4);
INSERT INTO staging.spotify_history VALUES ('me', '2026-11-02', '2026-11-02 10:00:00+00', '32922b2f6701d9a0', '2026-11-25 16:39:51.722491+00', 18002, 'spotify:track:song2', 'Song 2', 'Somebody', 'Album', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'ios', 'DE', 'trackdone', 'trackdone', false, false, false, false, NULL, 4);
INSERT INTO staging.spotify_history VALUES ('me', '2026-11-03', '2026-11-03 10:00:00+00', '909f94d7b2ef44fd', '2026-11-25 16:39:51.722491+00', 27003, 'spotify:track:song3', 'Song 3', 'Somebody', 'Album', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'ios', 'DE', 'trackdone', 'trackdone', false, false, false, false, NULL, 4);
INSERT INTO staging.spotify_history VALUES ('me', '2026-11-04', '2026-11-04 10:00:00+00', '67a9a34dbdcb16fa', '2026-11-25 16:39:51.722491+00', 36004, 'spotify:track:song0', 'Song 0', 'Somebody', 'Album', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'ios', 'DE', 'trackdone', 'trackdone', false, false, false, false, NULL, 4);
INSERT INTO staging.spotify_history VALUES ('me', '2026-11-05', '2026-11-05 10:00:00+00', '7b6e36dc5da75e41', '2026-11-25 16:39:51.722491+00', 45005, 'spotify:track:song1', 'Song 1', 'Somebody', 'Album', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'ios', 'DE', 'trackdone', 'trackdone', false, false, false, false, NULL, 4);
INSERT INTO staging.spotify_history VALUES ('me', '2026-11-06', '2026-11-06 10:00:00+00', 'a6f5ce004e6607cc', '2026-11-25 16:39:51.722491+00', 54006, 'spotify:track:song2', 'Song 2', 'Somebody', 'Album', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'ios', 'DE', 'trackdone', 'trackdone', false, false, false, false, NULL, 4);
INSERT INTO staging.spotify_history VALUES ('me', '2026-11-07', '2026-11-07 10:00:00+00', '1a69990e968bb327', '2026-11-25 16:39:51.722491+00', 63007, 'spotify:track:song3', 'Song 3', 'Somebody', 'Album', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'ios', 'DE', 'trackdone', 'trackdone', false, false, false, false, NULL, 4);
INSERT INTO staging.spotify_saved_tracks VALUES ('me', '2026-11-25 16:39:47.824243+00', '2026-11-25', 'saved', '2026-11-01 10:00:00+00', 'spotify:track:0000000000000000000077', '0000000000000000000077', 'QZAAA2491657', 'Never played', 'Velvet Harbour', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', 'album00000000000000001', 'Paper Lanterns', 'https://i.scdn.co/image/large', 'https://open.spotify.com/track/NeverPlayed00000000000', 210000, false, 2);
INSERT INTO staging.spotify_songs VALUES ('me', '2026-11-21 18:00:00+00', '2026-11-21', 'Song 0', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song000000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song000000000000000000', 'QZAAA2497341', 'spotify:track:Song000000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:39:33.800847+00', 1);
INSERT INTO staging.spotify_songs VALUES ('me', '2026-11-21 18:04:00+00', '2026-11-21', 'Song 1', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song100000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song100000000000000000', 'QZAAA2473771', 'spotify:track:Song100000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:39:33.800847+00', 1);
INSERT INTO staging.spotify_songs VALUES ('me', '2026-11-21 18:08:00+00', '2026-11-21', 'Song 2', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song200000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song200000000000000000', 'QZAAA2463729', 'spotify:track:Song200000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:39:33.800847+00', 1);
INSERT INTO staging.spotify_songs VALUES ('me', '2026-11-22 08:00:00+00', '2026-11-22', 'Song 7', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song700000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song700000000000000000', 'QZAAA2438846', 'spotify:track:Song700000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:40:02.348388+00', 5);
INSERT INTO staging.spotify_songs VALUES ('me', '2026-11-22 08:04:00+00', '2026-11-22', 'Song 8', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song800000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song800000000000000000', 'QZAAA2408431', 'spotify:track:Song800000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:40:02.348388+00', 5);
INSERT INTO staging.spotify_songs VALUES ('ann', '2026-11-21 18:00:00+00', '2026-11-21', 'Song 20', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song200000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song200000000000000000', 'QZAAA2474736', 'spotify:track:Song200000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:40:09.488641+00', 6);
INSERT INTO staging.spotify_songs VALUES ('ann', '2026-11-21 18:04:00+00', '2026-11-21', 'Song 21', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song210000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song210000000000000000', 'QZAAA2413574', 'spotify:track:Song210000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:40:09.488641+00', 6);
INSERT INTO staging.spotify_songs VALUES ('ann', '2026-11-21 18:08:00+00', '2026-11-21', 'Song 22', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song220000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song220000000000000000', 'QZAAA2435548', 'spotify:track:Song220000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:40:09.488641+00', 6);
INSERT INTO staging.spotify_songs VALUES ('ann', '2026-11-21 18:12:00+00', '2026-11-21', 'Song 23', 'Velvet Harbour', 210000, 'https://open.spotify.com/track/Song230000000000000000', 'https://i.scdn.co/image/large', 'Paper Lanterns', 'album00000000000000001', 'artist0000000000000001', 'Song230000000000000000', 'QZAAA2436298', 'spotify:track:Song230000000000000000', false, false, 1, 3, 'album', '2024-02-29', 'day', 9, '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', '[{"id": "artist0000000000000001", "name": "Velvet Harbour"}]', NULL, NULL, '2026-11-25 16:40:09.488641+00', 6);
INSERT INTO staging.table_updates VALUES ('CopyToStaging account=me 2026-11-22T1400', 'staging.spotify_songs', '2026-11-25 16:39:33.868591+00');
INSERT INTO staging.table_updates VALUES ('DbtRun account=me 2026-11-22T1400', 'marts', '2026-11-25 16:39:45.569628+00');
INSERT INTO staging.table_updates VALUES ('DbtTest account=me 2026-11-22T1400', 'marts', '2026-11-25 16:39:47.786304+00');
INSERT INTO staging.table_updates VALUES ('SyncSavedTracks account=me 2026-11-22T1400', 'staging.spotify_saved_tracks', '2026-11-25 16:39:47.864677+00');
INSERT INTO staging.table_updates VALUES ('EnrichGenres account=me 2026-11-22T1400', 'staging.spotify_genres', '2026-11-25 16:39:47.950023+00');
INSERT INTO staging.table_updates VALUES ('RenderDashboard account=me 2026-11-22T1400', 'dashboard', '2026-11-25 16:39:47.990633+00');
INSERT INTO staging.table_updates VALUES ('CopyToStaging account=me 2026-11-22T1430', 'staging.spotify_songs', '2026-11-25 16:40:02.404397+00');
INSERT INTO staging.table_updates VALUES ('DbtRun account=me 2026-11-22T1430', 'marts', '2026-11-25 16:40:07.648685+00');
INSERT INTO staging.table_updates VALUES ('DbtTest account=me 2026-11-22T1430', 'marts', '2026-11-25 16:40:08.338463+00');
INSERT INTO staging.table_updates VALUES ('SyncSavedTracks account=me 2026-11-22T1430', 'staging.spotify_saved_tracks', '2026-11-25 16:40:08.346683+00');
INSERT INTO staging.table_updates VALUES ('EnrichGenres account=me 2026-11-22T1430', 'staging.spotify_genres', '2026-11-25 16:40:08.354722+00');
INSERT INTO staging.table_updates VALUES ('RenderDashboard account=me 2026-11-22T1430', 'dashboard', '2026-11-25 16:40:08.382379+00');
INSERT INTO staging.table_updates VALUES ('CopyToStaging account=ann 2026-11-22T1430', 'staging.spotify_songs', '2026-11-25 16:40:09.508209+00');
INSERT INTO staging.table_updates VALUES ('DbtRun account=ann 2026-11-22T1430', 'marts', '2026-11-25 16:40:14.826265+00');
INSERT INTO staging.table_updates VALUES ('DbtTest account=ann 2026-11-22T1430', 'marts', '2026-11-25 16:40:15.561925+00');
INSERT INTO staging.table_updates VALUES ('SyncSavedTracks account=ann 2026-11-22T1430', 'staging.spotify_saved_tracks', '2026-11-25 16:40:15.608913+00');
INSERT INTO staging.table_updates VALUES ('EnrichGenres account=ann 2026-11-22T1430', 'staging.spotify_genres', '2026-11-25 16:40:16.679689+00');
INSERT INTO staging.table_updates VALUES ('RenderDashboard account=ann 2026-11-22T1430', 'dashboard', '2026-11-25 16:40:16.718117+00');
SELECT pg_catalog.setval('staging.load_id', 6, true);
ALTER TABLE ONLY pipeline.api_calls
    ADD CONSTRAINT api_calls_pkey PRIMARY KEY (account, day_utc, purpose);
ALTER TABLE ONLY pipeline.imports
    ADD CONSTRAINT imports_pkey PRIMARY KEY (account, imported_at, file_number);
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
ALTER TABLE ONLY staging.spotify_history
    ADD CONSTRAINT spotify_history_pkey PRIMARY KEY (account, played_date_utc, played_at_utc, row_id);
ALTER TABLE ONLY staging.spotify_saved_tracks
    ADD CONSTRAINT spotify_saved_tracks_pkey PRIMARY KEY (account, observed_date_utc, observed_at_utc, track_uri, event);
ALTER TABLE ONLY staging.spotify_songs
    ADD CONSTRAINT spotify_songs_pkey PRIMARY KEY (account, played_date_utc, played_at_utc, track_uri);
ALTER TABLE ONLY staging.table_updates
    ADD CONSTRAINT table_updates_pkey PRIMARY KEY (update_id);
CREATE INDEX dbt_runs_step ON pipeline.dbt_runs USING btree (step, finished_at);
CREATE INDEX polls_evidence ON staging.polls USING btree (account, fetched_at) WHERE (oldest IS NOT NULL);
CREATE INDEX polls_record ON staging.polls USING btree (account, record);
CREATE INDEX polls_with_loss ON staging.polls USING btree (account, fetched_at) WHERE ((overlap IS FALSE) OR (unreadable > 0) OR (late_from IS NOT NULL));
CREATE INDEX spotify_genres_artist ON staging.spotify_genres USING btree (account, artist_id);
CREATE INDEX spotify_history_load_id ON staging.spotify_history USING btree (load_id);
CREATE INDEX spotify_history_offline ON staging.spotify_history USING btree (account, track_uri) WHERE (offline IS TRUE);
CREATE INDEX spotify_songs_load_id ON staging.spotify_songs USING btree (load_id);
