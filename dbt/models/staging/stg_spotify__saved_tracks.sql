-- The last thing that happened to each track that was ever seen in the library.
with

events as (

    select * from {{ source('spotify', 'spotify_saved_tracks') }}

)

select distinct on (account, track_uri)
    account,
    track_uri,
    track_id,
    isrc,
    song_name as track_name,
    artists as artist_credits,
    album_name,
    album_art_link as album_art_url,
    song_link as track_url,
    added_at_utc as added_at,
    event = 'saved' as is_saved,
    observed_at_utc as observed_at
from events
order by account asc, track_uri asc, observed_at_utc desc, event desc
