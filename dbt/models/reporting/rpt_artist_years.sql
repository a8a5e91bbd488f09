-- What was heard of each artist in each local year.
select
    years.account,
    artists.artist_name,
    years.played_year,
    years.plays,
    {{ minutes('years.ms_played') }} as minutes,
    {{ minutes('years.ms_estimated') }} as minutes_estimated,
    years.artist_key
from {{ ref('fct_artist_years') }} as years
inner join {{ ref('dim_artists') }} as artists
    on years.account = artists.account and years.artist_key = artists.artist_key
