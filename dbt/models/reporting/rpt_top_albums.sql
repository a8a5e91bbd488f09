{{ config(post_hook="{{ function_top_albums() }}") }}

-- depends_on: {{ ref('int_recording_totals') }}

-- Every album by its plays over the whole history, and how much of it was heard. For a range of dates:
-- reporting.top_albums(account, from_date, to_date). Without CTEs, PostgreSQL counts the recordings of only those
-- albums that a query shows.
select
    ranked.account,
    ranked.rank,
    albums.album_name,
    albums.album_artist as artists,
    ranked.plays,
    {{ minutes('ranked.ms_played') }} as minutes,
    {{ minutes('ranked.ms_estimated') }} as minutes_estimated,
    heard.tracks_heard,
    albums.total_tracks,
    {{ share('least(heard.tracks_heard, albums.total_tracks)', 'albums.total_tracks') }} as share_heard,
    heard.tracks_heard >= albums.total_tracks as is_completed,
    ranked.first_played_at,
    ranked.last_played_at,
    accounts.has_open_gap as is_at_least,
    ranked.album_key,
    albums.album_art_url
from (
    select
        *,
        rank() over (partition by account order by plays desc, ms_played desc) as rank
    from (
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
    ) as totals
) as ranked
inner join lateral (
    select count(distinct totals.recording_key) as tracks_heard
    from {{ ref('int_track_totals') }} as totals
    where totals.account = ranked.account and totals.album_key = ranked.album_key
) as heard on true
inner join {{ ref('dim_albums') }} as albums
    on ranked.account = albums.account and ranked.album_key = albums.album_key
inner join {{ ref('dim_accounts') }} as accounts on ranked.account = accounts.account
