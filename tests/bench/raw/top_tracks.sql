{plays}
select
    recording, max(song_name), max(artist_name), count(*) as plays, sum(ms) as ms,
    count(*) filter (where is_skipped), min(played_at_utc), max(played_at_utc), count(distinct track_uri)
from plays
where {of}
group by recording
order by plays desc, ms desc
limit 20
