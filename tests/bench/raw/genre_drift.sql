{plays}{genres}, years as (
    select extract(year from played_local) as year, artist_genre, sum(part * weight) as plays
    from heard
    inner join genres on heard.artist = genres.artist_id
    group by 1, 2
)
select *, plays - lag(plays) over (partition by artist_genre order by year)
from years
order by year desc, plays desc
limit 20
