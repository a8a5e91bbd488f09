-- Minutes by hour, weekday, day of the month and month of the year; an average day counts every calendar day there was.
with

days as not materialized (

    select * from {{ ref('int_calendar_days') }}

),

accounts as (

    select
        account,
        count(*) as days
    from days
    group by account

),

hours as (

    select
        account,
        played_hour,
        sum(plays)::bigint as plays,
        sum(ms_played)::bigint as ms_played,
        sum(ms_estimated)::bigint as ms_estimated
    from {{ ref('int_hour_totals') }}
    group by account, played_hour

),

counted as (

    {% for unit, name in (('weekday', 'iso_weekday'), ('day_of_month', 'day_of_month'), ('month', 'month')) %}
        select
            account,
            '{{ unit }}' as unit,
            {{ name }} as value,
            sum(plays)::bigint as plays,
            sum(ms_played)::bigint as ms_played,
            sum(ms_estimated)::bigint as ms_estimated,
            count(*) as days
        from days
        group by account, {{ name }}
        union all
    {% endfor %}
    select
        hours.account,
        'hour' as unit,
        hours.played_hour as value,
        hours.plays,
        hours.ms_played,
        hours.ms_estimated,
        accounts.days
    from hours
    inner join accounts on hours.account = accounts.account

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
    coalesce(counted.days, case when units.unit = 'hour' then units.days else 0 end) as days,
    case
        when counted.days is not null then {{ minutes('counted.ms_played / counted.days::numeric') }}
        when units.unit = 'hour' then 0
    end::numeric(20, 2) as minutes_per_day
from units
left join counted
    on units.account = counted.account and units.unit = counted.unit and units.value = counted.value
