{plays}
select extract(isodow from played_local), extract(hour from played_local), count(*), sum(ms)
from plays
group by 1, 2
order by 1, 2
