-- The library, and how often each saved track was played: the track itself, or another release of the same recording.
with

saved as not materialized (

    select * from {{ ref('stg_spotify__saved_tracks') }}
    where is_saved

),

tracks as not materialized (

    select
        account,
        track_uri,
        isrc
    from {{ ref('dim_tracks') }}

),

totals as (

    select * from {{ ref('int_track_totals') }}

),

played_as as (

    select
        saved.account,
        saved.track_uri,
        tracks.track_uri as played_track_uri
    from saved
    inner join tracks on saved.account = tracks.account and saved.track_uri = tracks.track_uri
    union
    select
        saved.account,
        saved.track_uri,
        tracks.track_uri as played_track_uri
    from saved
    inner join tracks on saved.account = tracks.account and saved.isrc = tracks.isrc

),

plays as (

    select
        played_as.account,
        played_as.track_uri,
        sum(totals.plays)::bigint as plays,
        sum(totals.ms_played) as ms_played,
        sum(totals.ms_estimated) as ms_estimated,
        max(totals.last_played_at) as last_played_at
    from played_as
    inner join totals
        on played_as.account = totals.account and played_as.played_track_uri = totals.track_uri
    group by played_as.account, played_as.track_uri

)

select
    saved.account,
    coalesce(saved.track_name, '(untitled)') as track_name,
    {{ credited_names('saved.artist_credits') }} as artists,
    saved.album_name,
    saved.added_at,
    coalesce(plays.plays, 0) as plays,
    round(coalesce(plays.ms_played, 0) / 60000.0, 2)::numeric(20, 2) as minutes,
    round(coalesce(plays.ms_estimated, 0) / 60000.0, 2)::numeric(20, 2) as minutes_estimated,
    plays.last_played_at,
    coalesce(accounts.has_open_gap, false) as is_at_least,
    saved.track_uri,
    saved.track_url
from saved
left join plays on saved.account = plays.account and saved.track_uri = plays.track_uri
left join {{ ref('dim_accounts') }} as accounts on saved.account = accounts.account
