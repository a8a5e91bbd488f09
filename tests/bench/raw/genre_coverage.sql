{plays}
select
    count(*),
    count(*) filter (
        where exists (
            select from jsonb_array_elements(artists) as credit
            inner join staging.spotify_genres as genres on genres.artist_id = credit ->> 'id'
            where genres.account = '{account}' and genres.artist_genre is not null
        )
    )
from plays
