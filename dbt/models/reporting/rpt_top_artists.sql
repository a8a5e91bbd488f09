-- Every credited artist by plays over the whole history; a play counts for each of its artists.
with

credits as (

    select * from {{ ref('bridge_track_artists') }}

),

track_totals as (

    select * from {{ ref('int_track_totals') }}

),

artists as (

    select * from {{ ref('dim_artists') }}

),

artist_totals as (

    select
        credits.account,
        credits.artist_key,
        sum(track_totals.plays)::bigint as plays,
        count(*) as tracks,
        sum(track_totals.ms_played) as ms_played,
        sum(track_totals.ms_estimated) as ms_estimated,
        min(track_totals.first_played_at) as first_played_at,
        max(track_totals.last_played_at) as last_played_at
    from credits
    inner join track_totals
        on credits.account = track_totals.account and credits.track_uri = track_totals.track_uri
    group by credits.account, credits.artist_key

)

select
    artist_totals.account,
    rank() over (
        partition by artist_totals.account
        order by artist_totals.plays desc, artist_totals.ms_played desc
    ) as rank,
    artists.artist_name,
    artist_totals.plays,
    artist_totals.tracks,
    round(artist_totals.ms_played / 60000.0, 2)::numeric(20, 2) as minutes,
    round(artist_totals.ms_estimated / 60000.0, 2)::numeric(20, 2) as minutes_estimated,
    artist_totals.first_played_at,
    artist_totals.last_played_at,
    {{ has_open_gap('artist_totals.account') }} as is_at_least,
    artist_totals.artist_key
from artist_totals
inner join artists
    on artist_totals.account = artists.account and artist_totals.artist_key = artists.artist_key
