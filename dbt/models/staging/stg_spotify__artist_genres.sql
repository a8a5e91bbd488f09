-- What the latest asking for an artist has brought; a row without a genre where it was none.
with

askings as (

    select
        *,
        rank() over (partition by account, artist_id order by last_updated_datetime_utc desc) as askings_ago
    from {{ source('spotify', 'spotify_genres') }}

)

select
    account,
    artist_id,
    artist_genre as genre,
    genre_source,
    genre_votes,
    matched_by,
    musicbrainz_id,
    last_updated_datetime_utc as asked_at
from askings
where askings_ago = 1
