-- The recordings on which each artist is credited, and their plays over the whole history. Ask for one artist: without
-- CTEs and ranks, PostgreSQL looks up that artist's alone.
select
    artists.account,
    artists.artist_name,
    recordings.track_name,
    recordings.artists,
    recordings.plays,
    {{ minutes('recordings.ms_played') }} as minutes,
    {{ minutes('recordings.ms_estimated') }} as minutes_estimated,
    accounts.has_open_gap as is_at_least,
    artists.artist_key,
    recordings.recording_key,
    recordings.track_uri,
    recordings.track_url
from {{ ref('dim_artists') }} as artists
inner join lateral (
    select distinct totals.recording_key
    from {{ ref('bridge_track_artists') }} as credits
    inner join {{ ref('int_track_totals') }} as totals
        on credits.account = totals.account and credits.track_uri = totals.track_uri
    where credits.account = artists.account and credits.artist_key = artists.artist_key
) as heard on true
inner join {{ ref('int_recording_totals') }} as recordings
    on artists.account = recordings.account and heard.recording_key = recordings.recording_key
inner join {{ ref('dim_accounts') }} as accounts on artists.account = accounts.account
