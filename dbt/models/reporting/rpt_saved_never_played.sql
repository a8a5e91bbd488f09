-- Saved, and not played since the history begins; what has waited longest comes first by added_at.
select
    account,
    track_name,
    artists,
    album_name,
    added_at,
    {{ local_time('added_at') }}::date as added_date,
    track_uri,
    track_url
from {{ ref('rpt_saved_tracks') }}
where plays = 0
