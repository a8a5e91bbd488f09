{{ config(post_hook="{{ function_top_artists() }}") }}

-- Every credited artist by plays over the whole history; a play counts for each of its artists. For a range of dates:
-- reporting.top_artists(account, from_date, to_date). Without CTEs, PostgreSQL counts the recordings of only those
-- artists that a query shows.
select
    ranked.account,
    ranked.rank,
    artists.artist_name,
    ranked.plays,
    (
        select count(distinct totals.recording_key)
        from {{ ref('bridge_track_artists') }} as credits
        inner join {{ ref('int_track_totals') }} as totals
            on credits.account = totals.account and credits.track_uri = totals.track_uri
        where credits.account = ranked.account and credits.artist_key = ranked.artist_key
    ) as tracks,
    {{ minutes('ranked.ms_played') }} as minutes,
    {{ minutes('ranked.ms_estimated') }} as minutes_estimated,
    ranked.first_played_at,
    ranked.last_played_at,
    accounts.has_open_gap as is_at_least,
    ranked.artist_key
from (
    select
        *,
        rank() over (partition by account order by plays desc, ms_played desc) as rank
    from {{ ref('int_artist_totals') }}
) as ranked
inner join {{ ref('dim_artists') }} as artists
    on ranked.account = artists.account and ranked.artist_key = artists.artist_key
inner join {{ ref('dim_accounts') }} as accounts on ranked.account = accounts.account
