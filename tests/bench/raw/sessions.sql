{plays}, started as (
    select *, played_at_utc - ms * interval '1 millisecond' as started_at from plays
), marked as (
    select
        *,
        (started_at - lag(played_at_utc) over (order by played_at_utc) > interval '30 minutes')::integer as begins
    from started
), numbered as (
    select *, sum(begins) over (order by played_at_utc) as session from marked
)
select min(started_at), max(played_at_utc), count(*), count(distinct track_uri), sum(ms)
from numbered
group by session
order by max(played_at_utc) - min(started_at) desc
limit 20
