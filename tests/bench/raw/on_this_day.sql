{plays}
select played_date, recording, count(*) as plays, sum(ms) as ms
from plays
where to_char(played_date, 'MMDD') = to_char('{today}'::date, 'MMDD') and played_date < '{today}'
group by 1, 2
order by played_date desc, plays desc, ms desc
limit 20
