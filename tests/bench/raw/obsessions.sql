{plays}, weeks as (
    select track_uri, date_trunc('week', played_local)::date as week, count(*) as plays
    from plays
    group by 1, 2
    having count(*) >= 10
), runs as (
    select *, week - 7 * row_number() over (partition by track_uri order by week)::integer as run from weeks
)
select track_uri, min(week), max(week), count(*) as weeks, sum(plays), max(plays)
from runs
group by track_uri, run
order by weeks desc
limit 20
