{plays}
select
    extract(hour from played_local), extract(isodow from played_local), extract(day from played_local),
    extract(month from played_local), count(*), sum(ms), count(distinct played_date)
from plays
group by grouping sets ((1), (2), (3), (4))
