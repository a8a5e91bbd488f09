{{ config(post_hook="{{ function_top_albums() }}") }}

-- depends_on: {{ ref('int_recording_totals') }}

-- Every album by its plays over the whole history, and how much of it was heard. For a range of dates:
-- reporting.top_albums(account, from_date, to_date).
with

totals as (

    select
        account,
        album_key,
        sum(plays)::bigint as plays,
        sum(ms_played)::bigint as ms_played,
        sum(ms_estimated)::bigint as ms_estimated,
        min(first_played_at) as first_played_at,
        max(last_played_at) as last_played_at
    from {{ ref('int_track_totals') }}
    where album_key is not null
    group by account, album_key

),

ranked as (

    select
        *,
        rank() over (partition by account order by plays desc, ms_played desc) as rank
    from totals

),

shown as (

    select
        ranked.*,
        albums.album_name,
        albums.album_artist,
        albums.total_tracks,
        albums.album_art_url,
        (
            select count(distinct totals.recording_key)
            from {{ ref('int_track_totals') }} as totals
            where totals.account = ranked.account and totals.album_key = ranked.album_key
        ) as tracks_heard
    from ranked
    inner join {{ ref('dim_albums') }} as albums
        on ranked.account = albums.account and ranked.album_key = albums.album_key

)

select
    shown.account,
    shown.rank,
    shown.album_name,
    shown.album_artist as artists,
    shown.plays,
    {{ minutes('shown.ms_played') }} as minutes,
    {{ minutes('shown.ms_estimated') }} as minutes_estimated,
    shown.tracks_heard,
    shown.total_tracks,
    {{ share('least(shown.tracks_heard, shown.total_tracks)', 'shown.total_tracks') }} as share_heard,
    shown.tracks_heard >= shown.total_tracks as is_completed,
    shown.first_played_at,
    shown.last_played_at,
    accounts.has_open_gap as is_at_least,
    shown.album_key,
    shown.album_art_url
from shown
inner join {{ ref('dim_accounts') }} as accounts on shown.account = accounts.account
