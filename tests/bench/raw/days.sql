{plays}, days as (
    select played_date, count(*) as plays, sum(ms) as ms from plays group by played_date
)
select
    *,
    lag(ms) over (order by played_date),
    avg(ms) over (order by played_date rows 6 preceding),
    avg(ms) over (order by played_date rows 27 preceding)
from days
order by played_date desc
limit 90
