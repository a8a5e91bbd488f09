-- The 168 hours of the week, those in which nothing was ever heard too.
with

cells as (

    select
        accounts.account,
        weekdays.iso_weekday,
        hours.played_hour
    from {{ ref('dim_accounts') }} as accounts
    cross join generate_series(1, 7) as weekdays (iso_weekday)
    cross join generate_series(0, 23) as hours (played_hour)
    where accounts.first_played_date is not null

),

heard as (

    select
        account,
        iso_weekday,
        played_hour,
        sum(plays)::bigint as plays,
        sum(ms_played)::bigint as ms_played,
        sum(ms_estimated)::bigint as ms_estimated
    from {{ ref('int_hour_totals') }}
    group by account, iso_weekday, played_hour

),

filled as (

    select
        cells.account,
        cells.iso_weekday,
        cells.played_hour,
        coalesce(heard.plays, 0) as plays,
        coalesce(heard.ms_played, 0) as ms_played,
        coalesce(heard.ms_estimated, 0) as ms_estimated
    from cells
    left join heard
        on
            cells.account = heard.account
            and cells.iso_weekday = heard.iso_weekday
            and cells.played_hour = heard.played_hour

)

select
    account,
    iso_weekday,
    played_hour,
    plays,
    {{ minutes('ms_played') }} as minutes,
    {{ minutes('ms_estimated') }} as minutes_estimated,
    {{ share('ms_played', 'sum(ms_played) over (partition by account)') }} as share_of_minutes
from filled
