-- depends_on: {{ ref('int_days_to_count') }}

-- Every play is counted on its local date, as counted, excluded or spoken, and the hours of a date are the date. Per
-- slot for the dates that were counted anew, daily for all.
{% set is_slot = env_var('DBT_TEST_SCOPE', 'full') == 'news' %}

with

{% if is_slot %}

    dates as (

        select
            account,
            played_date
        from {{ ref('int_days_to_count') }}

    ),

{% endif %}

plays as (

    select
        plays.account,
        plays.played_date,
        count(*) as plays,
        sum(plays.ms_played) as ms_played
    from {{ ref('fct_plays') }} as plays
    {% if is_slot %}
        inner join dates on plays.account = dates.account and plays.played_date = dates.played_date
    {% endif %}
    group by plays.account, plays.played_date

),

hours as (

    select
        hours.account,
        hours.played_date,
        sum(hours.plays) as plays,
        sum(hours.ms_played) as ms_played
    from {{ ref('fct_listening_hours') }} as hours
    {% if is_slot %}
        inner join dates on hours.account = dates.account and hours.played_date = dates.played_date
    {% endif %}
    group by hours.account, hours.played_date

),

days as (

    select days.*
    from {{ ref('fct_listening_days') }} as days
    {% if is_slot %}
        inner join dates on days.account = dates.account and days.played_date = dates.played_date
    {% endif %}

)

select
    coalesce(plays.account, days.account) as account,
    coalesce(plays.played_date, days.played_date) as played_date,
    plays.plays as plays_there,
    days.plays as plays_counted,
    days.excluded_plays,
    days.spoken_plays,
    hours.plays as plays_of_hours
from plays
full join days on plays.account = days.account and plays.played_date = days.played_date
left join hours on days.account = hours.account and days.played_date = hours.played_date
where
    plays.plays is distinct from days.plays + days.excluded_plays + days.spoken_plays
    or plays.ms_played is distinct from days.ms_played + days.ms_excluded + days.ms_spoken
    or days.plays != coalesce(hours.plays, 0)
    or days.ms_played != coalesce(hours.ms_played, 0)
