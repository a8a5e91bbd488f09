{plays}{credits}
select
    artist, min(played_at_utc) as first_played_at, count(*), sum(ms),
    rank() over (partition by date_trunc('week', min(played_local)) order by count(*) desc, sum(ms) desc)
from credits
group by artist
order by first_played_at desc
limit 20
