{plays}, days as (
    select distinct played_date from plays
), runs as (
    select played_date, played_date - row_number() over (order by played_date)::integer as run from days
)
select min(played_date), max(played_date), count(*) as days from runs group by run order by days desc limit 20
