-- The last 50 plays of each account, newest first.
with

accounts as (

    select distinct account from {{ ref('int_track_totals') }}

),

recent as (

    select plays.*
    from accounts
    cross join lateral (
        select fct.*
        from {{ ref('fct_plays') }} as fct
        where fct.account = accounts.account
        order by fct.played_date_utc desc, fct.played_at desc, fct.track_uri desc
        limit 50
    ) as plays

)

select
    recent.account,
    recent.played_at,
    recent.played_at_local,
    tracks.track_name,
    tracks.artists,
    tracks.album_name,
    round(recent.ms_played / 60000.0, 2)::numeric(10, 2) as minutes,
    recent.is_estimated,
    tracks.track_url,
    tracks.album_art_url
from recent
inner join {{ ref('dim_tracks') }} as tracks
    on recent.account = tracks.account and recent.track_uri = tracks.track_uri
