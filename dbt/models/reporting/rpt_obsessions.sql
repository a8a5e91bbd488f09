-- Tracks that were played at least 10 times a week, week after week: since when, when most, until when.
with

weeks as (

    select
        *,
        week_start - 7 * (
            row_number() over (partition by account, track_uri order by week_start)
        )::integer as run
    from {{ ref('int_obsession_weeks') }}

),

obsessions as (

    select
        account,
        track_uri,
        min(week_start) as first_week,
        max(week_start) as last_week,
        count(*) as weeks,
        sum(plays)::bigint as plays,
        (array_agg(week_start order by plays desc, week_start asc))[1] as peak_week,
        max(plays) as peak_plays
    from weeks
    group by account, track_uri, run

)

select
    obsessions.account,
    obsessions.first_week,
    obsessions.last_week,
    obsessions.weeks,
    obsessions.plays,
    obsessions.peak_week,
    obsessions.peak_plays,
    obsessions.last_week + 6 < accounts.today as is_over,
    tracks.track_name,
    tracks.artists,
    obsessions.track_uri,
    tracks.track_url
from obsessions
inner join {{ ref('dim_accounts') }} as accounts on obsessions.account = accounts.account
inner join {{ ref('dim_tracks') }} as tracks
    on obsessions.account = tracks.account and obsessions.track_uri = tracks.track_uri
