{plays}{credits}
select
    artist, max(name), count(*) as plays, sum(ms) as ms, count(distinct recording), min(played_at_utc), max(played_at_utc)
from credits
where {of}
group by artist
order by plays desc, ms desc
limit 20
