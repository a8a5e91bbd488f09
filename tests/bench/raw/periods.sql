{plays}, months as (
    select date_trunc('month', played_local) as month, count(*) as plays, sum(ms) as ms, count(distinct played_date)
    from plays
    group by 1
)
select *, lag(ms) over (order by month) from months order by month
