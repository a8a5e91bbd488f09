-- Every sitting, the longest first.
select
    account,
    rank() over (partition by account order by duration_ms desc, ms_played desc) as rank,
    started_at,
    ended_at,
    started_at_local,
    ended_at_local,
    plays,
    tracks,
    {{ minutes('ms_played') }} as minutes,
    {{ minutes('ms_estimated') }} as minutes_estimated,
    {{ minutes('duration_ms') }} as duration_minutes
from {{ ref('fct_sessions') }}
