{plays}{genres}
select artist_genre, sum(part * weight) as plays, sum(ms * part * weight) as ms, count(distinct artist)
from heard
inner join genres on heard.artist = genres.artist_id
group by artist_genre
order by plays desc, ms desc
limit 20
