{{ config(materialized='view') }}

-- Every local date of a history, from that of its first counted play to today, with what was heard: nothing, on some.
with

accounts as (

    select * from {{ ref('int_known_accounts') }}
    where first_played_date is not null

)

select
    accounts.account,
    dates.date_day as played_date,
    accounts.first_played_date,
    accounts.today,
    coalesce(days.plays, 0) as plays,
    coalesce(days.ms_played, 0) as ms_played,
    coalesce(days.ms_estimated, 0) as ms_estimated,
    dates.iso_weekday,
    dates.day_of_month,
    dates.month,
    dates.calendar_year,
    dates.week_start,
    dates.month_start,
    dates.quarter_start,
    dates.year_start
from accounts
inner join {{ ref('dim_dates') }} as dates
    on dates.date_day between accounts.first_played_date and accounts.today
left join {{ ref('fct_listening_days') }} as days
    on accounts.account = days.account and dates.date_day = days.played_date
