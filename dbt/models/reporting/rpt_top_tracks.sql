-- Every track by its plays over the whole history.
with

totals as (

    select * from {{ ref('int_track_totals') }}

),

tracks as (

    select * from {{ ref('dim_tracks') }}

)

select
    totals.account,
    rank() over (partition by totals.account order by totals.plays desc, totals.ms_played desc) as rank,
    tracks.track_name,
    tracks.artists,
    totals.plays,
    round(totals.ms_played / 60000.0, 2)::numeric(20, 2) as minutes,
    round(totals.ms_estimated / 60000.0, 2)::numeric(20, 2) as minutes_estimated,
    totals.first_played_at,
    totals.last_played_at,
    {{ has_open_gap('totals.account') }} as is_at_least,
    tracks.track_uri,
    tracks.track_url
from totals
inner join tracks
    on totals.account = tracks.account and totals.track_uri = tracks.track_uri
