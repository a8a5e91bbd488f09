-- How long each play was heard: to the track's length, and no longer than since the play before it.
with songs as (
    select
        *,
        played_at_utc at time zone '{zone}' as played_local,
        least(
            song_duration_ms,
            extract(epoch from played_at_utc - lag(played_at_utc) over (order by played_at_utc)) * 1000
        ) as ms
    from staging.spotify_songs
    where account = '{account}' {within}
), plays as (
    select
        *,
        played_local::date as played_date,
        coalesce(isrc, track_uri) as recording,
        lower(album_name) || '|' || lower(album_artists -> 0 ->> 'name') as album,
        ms < 0.9 * song_duration_ms as is_skipped
    from songs
)
