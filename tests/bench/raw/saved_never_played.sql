{plays}
select saved.song_name
from staging.spotify_saved_tracks as saved
where saved.account = '{account}' and not exists (select from plays where plays.recording = saved.isrc)
order by saved.added_at_utc
limit 20
