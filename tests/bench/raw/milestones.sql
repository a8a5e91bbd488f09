{plays}, numbered as (
    select
        song_name,
        played_at_utc,
        row_number() over (order by played_at_utc) as number,
        sum(ms) over (order by played_at_utc) / 60000 as minutes
    from plays
)
select 'plays', number, played_at_utc, song_name
from numbered
where number in (1, 10, 50, 100, 500, 1000, 5000, 10000, 50000, 100000, 500000, 1000000, 5000000)
union all
select 'minutes', mark, min(played_at_utc), null
from numbered
inner join unnest(array[1000, 5000, 10000, 50000, 100000, 500000, 1000000, 5000000]) as mark on minutes >= mark
group by mark
