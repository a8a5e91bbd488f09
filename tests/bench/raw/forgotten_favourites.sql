{plays}
select recording, count(*) as plays, sum(ms) as ms, max(played_date)
from plays
group by recording
having count(*) >= 20 and max(played_date) <= '{today}'::date - 180
order by plays desc, ms desc
limit 20
