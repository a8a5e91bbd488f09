-- What was heard on today's date in the years before. On 29 February, only leap years have such a day.
with

dates as (

    select
        accounts.account,
        accounts.today,
        dates.date_day
    from {{ ref('dim_accounts') }} as accounts
    inner join {{ ref('dim_dates') }} as dates
        on
            extract(month from accounts.today) = dates.month
            and extract(day from accounts.today) = dates.day_of_month
            and accounts.today > dates.date_day
            and accounts.first_played_date <= dates.date_day

),

heard as (

    select
        dates.account,
        dates.date_day as played_date,
        dates.today,
        plays.track_uri,
        count(*) as plays,
        sum(plays.ms_played)::bigint as ms_played,
        coalesce(sum(plays.ms_played) filter (where plays.is_estimated), 0)::bigint as ms_estimated,
        max(plays.played_at) as last_played_at
    from dates
    inner join {{ ref('int_counted_plays') }} as plays
        on dates.account = plays.account and dates.date_day = plays.played_date
    group by dates.account, dates.date_day, dates.today, plays.track_uri

),

recordings as (

    select
        heard.account,
        heard.played_date,
        heard.today,
        tracks.recording_key,
        sum(heard.plays)::bigint as plays,
        sum(heard.ms_played)::bigint as ms_played,
        sum(heard.ms_estimated)::bigint as ms_estimated,
        (
            array_agg(heard.track_uri order by heard.plays desc, heard.last_played_at desc, heard.track_uri asc)
        )[1] as track_uri
    from heard
    inner join {{ ref('dim_tracks') }} as tracks
        on heard.account = tracks.account and heard.track_uri = tracks.track_uri
    group by heard.account, heard.played_date, heard.today, tracks.recording_key

)

select
    recordings.account,
    recordings.played_date,
    extract(year from recordings.today)::integer - extract(year from recordings.played_date)::integer as years_ago,
    tracks.track_name,
    tracks.artists,
    recordings.plays,
    {{ minutes('recordings.ms_played') }} as minutes,
    {{ minutes('recordings.ms_estimated') }} as minutes_estimated,
    recordings.recording_key,
    recordings.track_uri,
    tracks.track_url
from recordings
inner join {{ ref('dim_tracks') }} as tracks
    on recordings.account = tracks.account and recordings.track_uri = tracks.track_uri
