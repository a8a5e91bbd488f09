-- The last 50 plays of each account, newest first; of what is no track, the show stands for the artists.
with

accounts as (

    select account from {{ ref('dim_accounts') }}

),

recent as (

    select plays.*
    from accounts
    cross join lateral (
        select fct.*
        from {{ ref('fct_plays') }} as fct
        where fct.account = accounts.account
        order by fct.played_date_utc desc, fct.played_at desc, fct.play_id desc
        limit 50
    ) as plays

)

select
    recent.account,
    recent.played_at,
    recent.played_at_local,
    recent.content_type,
    coalesce(tracks.track_name, episodes.title) as track_name,
    coalesce(tracks.artists, episodes.show_title, '(unknown)') as artists,
    tracks.album_name,
    round(recent.ms_played / 60000.0, 2)::numeric(20, 2) as minutes,
    recent.is_estimated,
    coalesce(tracks.track_url, episodes.episode_url) as track_url,
    tracks.album_art_url
from recent
left join {{ ref('dim_tracks') }} as tracks
    on recent.account = tracks.account and recent.track_uri = tracks.track_uri and recent.content_type = 'track'
left join {{ ref('dim_episodes') }} as episodes
    on recent.account = episodes.account and recent.track_uri = episodes.track_uri and recent.content_type != 'track'
