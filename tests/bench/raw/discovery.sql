{plays}{credits}, firsts as (
    select recording, date_trunc('month', min(played_local)) as month from plays group by recording
), artists as (
    select artist, date_trunc('month', min(played_local)) as month from credits group by artist
)
select month, count(*), (select count(*) from artists where artists.month = firsts.month)
from firsts
group by month
order by month
