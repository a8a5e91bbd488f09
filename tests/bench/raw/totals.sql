{plays}
select
    count(*), sum(ms), count(distinct recording), count(distinct album), count(distinct played_date),
    (select count(distinct credit ->> 'id') from plays cross join jsonb_array_elements(artists) as credit)
from plays
