{plays}{credits}, heard as (
    select * from plays where {of}
), heard_artists as (
    select * from credits where {of}
)
select
    (
        select
            (count(*), sum(ms), count(distinct recording), count(distinct album), count(distinct played_date),
            avg(is_skipped::integer))::text
        from heard
    ),
    (select count(distinct artist) from heard_artists),
    (
        select count(*)
        from (select recording from heard except select recording from plays where played_date < '{from_date}') as new
    ),
    (
        select count(*)
        from (select artist from heard_artists except select artist from credits where played_date < '{from_date}') as new
    ),
    (select recording from heard group by recording order by count(*) desc, sum(ms) desc limit 1),
    (select artist from heard_artists group by artist order by count(*) desc, sum(ms) desc limit 1),
    (select album from heard group by album order by count(*) desc, sum(ms) desc limit 1),
    (select played_date from heard group by played_date order by sum(ms) desc limit 1),
    (select extract(hour from played_local) as hour from heard group by hour order by sum(ms) desc limit 1)
