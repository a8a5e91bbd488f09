{plays}
select extract(month from played_local)::integer % 12 / 3, extract(hour from played_local), count(*), sum(ms)
from plays
group by 1, 2
order by 1, 2
