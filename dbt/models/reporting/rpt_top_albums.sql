{{ config(post_hook="{{ function_top_albums() }}") }}

-- depends_on: {{ ref('int_artist_totals') }}
-- depends_on: {{ ref('int_track_totals') }}

-- Every album by its plays over the whole history, and how much of it was heard. For a range of dates:
-- reporting.top_albums(account, from_date, to_date).
select
    ranked.account,
    ranked.rank,
    albums.album_name,
    albums.album_artist as artists,
    ranked.plays,
    {{ minutes('ranked.ms_played') }} as minutes,
    {{ minutes('ranked.ms_estimated') }} as minutes_estimated,
    ranked.tracks_heard,
    albums.total_tracks,
    {{ share('least(ranked.tracks_heard, albums.total_tracks)', 'albums.total_tracks') }} as share_heard,
    ranked.tracks_heard >= albums.total_tracks as is_completed,
    ranked.first_played_at,
    ranked.last_played_at,
    accounts.has_open_gap as is_at_least,
    ranked.album_key,
    albums.album_art_url
from (
    select
        *,
        rank() over (partition by account order by plays desc, ms_played desc) as rank
    from {{ ref('int_album_totals') }}
) as ranked
inner join {{ ref('dim_albums') }} as albums
    on ranked.account = albums.account and ranked.album_key = albums.album_key
inner join {{ ref('dim_accounts') }} as accounts on ranked.account = accounts.account
