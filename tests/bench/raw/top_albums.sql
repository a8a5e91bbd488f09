{plays}
select
    album, max(album_name), count(*) as plays, sum(ms) as ms, count(distinct recording), max(album_total_tracks),
    min(played_at_utc), max(played_at_utc)
from plays
where {of}
group by album
order by plays desc, ms desc
limit 20
