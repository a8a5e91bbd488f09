{{ config(materialized='table') }}

-- Every date from 1990 to 2100, with its names in the calendar: an ISO week goes with its ISO year.
with

spine as (

    select day_at::date as date_day
    from generate_series(timestamp '1990-01-01', timestamp '2100-12-31', interval '1 day') as days (day_at)

),

named as (

    select
        date_day,
        extract(year from date_day)::integer as calendar_year,
        extract(quarter from date_day)::integer as quarter,
        extract(month from date_day)::integer as month,
        extract(day from date_day)::integer as day_of_month,
        extract(isoyear from date_day)::integer as iso_year,
        extract(week from date_day)::integer as iso_week,
        extract(isodow from date_day)::integer as iso_weekday,
        date_trunc('week', date_day)::date as week_start,
        date_trunc('month', date_day)::date as month_start,
        date_trunc('quarter', date_day)::date as quarter_start,
        date_trunc('year', date_day)::date as year_start
    from spine

)

select
    date_day,
    calendar_year,
    quarter,
    month,
    day_of_month,
    iso_year,
    iso_week,
    iso_weekday,
    week_start,
    month_start,
    quarter_start,
    year_start,
    case
        when month in (12, 1, 2) then 'Dec-Feb'
        when month in (3, 4, 5) then 'Mar-May'
        when month in (6, 7, 8) then 'Jun-Aug'
        else 'Sep-Nov'
    end as season
from named
