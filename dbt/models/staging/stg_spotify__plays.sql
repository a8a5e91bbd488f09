-- Rows with an impossible timestamp are left out (macro is_possible). Without CTEs, for once: PostgreSQL looks no day
-- up in an index behind a view that has some.
select
    account,
    played_at_utc as played_at,
    played_date_utc,
    track_uri,
    track_id,
    isrc,
    song_name as track_name,
    song_duration_ms as duration_ms,
    song_link as track_url,
    is_local,
    explicit as is_explicit,
    artists as artist_credits,
    album_artists as album_artist_credits,
    album_id,
    album_name,
    album_art_link as album_art_url,
    album_type,
    album_release_date,
    album_release_date_precision,
    album_total_tracks,
    disc_number,
    track_number,
    last_updated_datetime_utc as captured_at,
    load_id
from {{ source('spotify', 'spotify_songs') }}
where {{ is_possible_poll() }}
