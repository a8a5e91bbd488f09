{plays}
select date_trunc('month', played_local), count(*), count(*) filter (where is_skipped)
from plays
group by 1
order by 1
