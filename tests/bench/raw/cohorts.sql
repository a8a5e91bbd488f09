{plays}{credits}, years as (
    select artist, extract(year from played_local) as year, count(*) as plays from credits group by 1, 2
), cohorts as (
    select *, min(year) over (partition by artist) as cohort from years
)
select cohort, year, count(*), sum(plays) from cohorts group by 1, 2 order by 1, 2
