{{ config(materialized='view') }}

-- The genres of an artist, weighted: by votes where MusicBrainz counts some, else all alike. The weights add up to 1.
with

genres as (

    select * from {{ ref('stg_spotify__artist_genres') }}
    where genre is not null

),

summed as (

    select
        *,
        count(*) over (partition by account, artist_id) as genres_of_artist,
        sum(coalesce(genre_votes, 0)) over (partition by account, artist_id) as votes_of_artist
    from genres

)

select
    account,
    artist_id as artist_key,
    genre,
    case
        when votes_of_artist > 0 then coalesce(genre_votes, 0)::numeric / votes_of_artist
        else 1::numeric / genres_of_artist
    end::numeric(9, 8) as weight,
    genre_source,
    matched_by,
    asked_at
from summed
