-- Minutes by hour, weekday, day of the month and month of the year; an average day counts every calendar day there was.
with

accounts as (

    select
        account,
        today - first_played_date + 1 as days
    from {{ ref('dim_accounts') }}
    where first_played_date is not null

),

counted as (

    select
        account,
        case
            when grouping(iso_weekday) = 0 then 'weekday'
            when grouping(day_of_month) = 0 then 'day_of_month'
            else 'month'
        end as unit,
        coalesce(iso_weekday, day_of_month, month) as value,
        sum(plays)::bigint as plays,
        sum(ms_played)::bigint as ms_played,
        sum(ms_estimated)::bigint as ms_estimated,
        count(*) as days
    from {{ ref('int_calendar_days') }}
    group by account, grouping sets ((iso_weekday), (day_of_month), (month))
    union all
    select
        account,
        'hour' as unit,
        played_hour as value,
        sum(plays)::bigint as plays,
        sum(ms_played)::bigint as ms_played,
        sum(ms_estimated)::bigint as ms_estimated,
        null as days
    from {{ ref('fct_listening_hours') }}
    group by account, played_hour

),

units as (

    select
        accounts.account,
        accounts.days,
        units.unit,
        spine.value
    from accounts
    cross join (values ('hour', 0, 23), ('weekday', 1, 7), ('day_of_month', 1, 31), ('month', 1, 12))
        as units (unit, first_value, last_value)
    cross join generate_series(units.first_value, units.last_value) as spine (value)

)

select
    units.account,
    units.unit,
    units.value,
    coalesce(counted.plays, 0) as plays,
    {{ minutes('coalesce(counted.ms_played, 0)') }} as minutes,
    {{ minutes('coalesce(counted.ms_estimated, 0)') }} as minutes_estimated,
    case when units.unit = 'hour' then units.days else coalesce(counted.days, 0) end::bigint as days,
    case
        when units.unit = 'hour' then {{ minutes('coalesce(counted.ms_played, 0) / units.days::numeric') }}
        else {{ minutes('counted.ms_played / counted.days::numeric') }}
    end::numeric(20, 2) as minutes_per_day
from units
left join counted
    on units.account = counted.account and units.unit = counted.unit and units.value = counted.value
