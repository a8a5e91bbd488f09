{plays}, totals as (
    select recording, count(*) as plays, sum(ms) as ms from plays group by recording
)
select saved.song_name, totals.plays, totals.ms
from staging.spotify_saved_tracks as saved
left join totals on totals.recording = saved.isrc
where saved.account = '{account}'
order by totals.plays desc nulls last
limit 20
