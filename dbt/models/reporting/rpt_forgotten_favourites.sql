-- Recordings that were played at least 20 times, and not in the last 180 days.
with

totals as (

    select
        recordings.*,
        {{ local_time('recordings.last_played_at', 'recordings.account') }}::date as last_played_date
    from {{ ref('int_recording_totals') }} as recordings
    where recordings.plays >= 20

),

forgotten as (

    select
        totals.*,
        accounts.today - totals.last_played_date as days_since
    from totals
    inner join {{ ref('dim_accounts') }} as accounts on totals.account = accounts.account
    where totals.last_played_date <= accounts.today - 180

)

select
    forgotten.account,
    rank() over (partition by forgotten.account order by forgotten.plays desc, forgotten.ms_played desc) as rank,
    forgotten.track_name,
    forgotten.artists,
    forgotten.plays,
    {{ minutes('forgotten.ms_played') }} as minutes,
    {{ minutes('forgotten.ms_estimated') }} as minutes_estimated,
    forgotten.last_played_date,
    forgotten.days_since,
    forgotten.recording_key,
    forgotten.track_uri,
    forgotten.track_url
from forgotten
