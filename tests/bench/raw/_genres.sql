, heard as (
    select played_local, ms, credit ->> 'id' as artist, 1.0 / jsonb_array_length(artists) as part
    from plays
    cross join jsonb_array_elements(artists) as credit
    where {of}
), genres as (
    select artist_id, artist_genre, 1.0 / count(*) over (partition by artist_id) as weight
    from staging.spotify_genres
    where account = '{account}' and artist_genre is not null
)
