-- How many recordings and artists were heard for the first time, by month.
with

recordings as (

    select
        account,
        date_trunc('month', {{ local_time('first_played_at') }})::date as month_start,
        count(*) as new_tracks
    from {{ ref('int_recording_totals') }}
    group by account, date_trunc('month', {{ local_time('first_played_at') }})::date

),

artists as (

    select
        account,
        date_trunc('month', {{ local_time('first_played_at') }})::date as month_start,
        count(*) as new_artists
    from {{ ref('int_artist_totals') }}
    group by account, date_trunc('month', {{ local_time('first_played_at') }})::date

)

select
    periods.account,
    periods.period_start as month_start,
    coalesce(recordings.new_tracks, 0) as new_tracks,
    coalesce(artists.new_artists, 0) as new_artists,
    periods.is_complete
from {{ ref('int_periods') }} as periods
left join recordings
    on periods.account = recordings.account and periods.period_start = recordings.month_start
left join artists
    on periods.account = artists.account and periods.period_start = artists.month_start
where periods.grain = 'month'
