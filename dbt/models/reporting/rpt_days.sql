-- Every calendar day, those without a play too. Averages are over calendar days, and a day is compared with the day
-- before it, not with the last one on which something was heard.
with

days as (

    select
        *,
        lag(ms_played) over account_days as ms_before,
        sum(ms_played) over (account_days rows between 6 preceding and current row) as ms_7_days,
        sum(ms_played) over (account_days rows between 27 preceding and current row) as ms_28_days
    from {{ ref('int_calendar_days') }}
    window account_days as (partition by account order by played_date)

),

incomplete as (

    select
        account,
        {{ local_time('hour_at') }}::date as played_date,
        bool_or(completeness = 'possibly_lossy') as is_lossy
    from {{ ref('int_incomplete_hours') }}
    group by account, {{ local_time('hour_at') }}::date

),

captured as (

    select
        account,
        {{ local_time('first_hour_at') }}::date as from_date,
        {{ local_time('attempted_at') }}::date as to_date
    from {{ ref('int_captures') }}

)

select
    days.account,
    days.played_date,
    days.plays,
    {{ minutes('days.ms_played') }} as minutes,
    {{ minutes('days.ms_estimated') }} as minutes_estimated,
    days.played_date < days.today as is_complete,
    case
        when days.played_date >= days.first_played_date + 6 then {{ minutes('days.ms_7_days / 7') }}
    end::numeric(20, 2) as minutes_7_days,
    case
        when days.played_date >= days.first_played_date + 27 then {{ minutes('days.ms_28_days / 28') }}
    end::numeric(20, 2) as minutes_28_days,
    {{ minutes('days.ms_before') }} as minutes_day_before,
    case
        when days.played_date < days.today then {{ change('days.ms_played', 'days.ms_before') }}
    end::numeric(20, 4) as change,
    case
        when incomplete.is_lossy then 'possibly_lossy'
        when incomplete.account is not null then 'not_polled'
        when captured.account is not null then 'complete'
    end as completeness
from days
left join captured
    on days.account = captured.account and days.played_date between captured.from_date and captured.to_date
left join incomplete
    on days.account = incomplete.account and days.played_date = incomplete.played_date
