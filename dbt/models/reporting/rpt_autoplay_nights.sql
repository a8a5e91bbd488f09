-- Nights in which music went on from two to five without a skip: somebody may have slept. Nothing is removed for that;
-- suggested_rule is the line for dbt/seeds/exclusion_rules.csv that would.
with

long_sessions as (

    select
        account,
        started_at_local,
        ended_at_local
    from {{ ref('fct_sessions') }}
    where duration_ms >= 3 * 60 * 60 * 1000

),

session_dates as (

    select
        *,
        generate_series(date_trunc('day', started_at_local), ended_at_local, interval '1 day')::date as night_date
    from long_sessions

),

nights as (

    select * from session_dates
    where
        started_at_local <= night_date + interval '2 hours'
        and ended_at_local >= night_date + interval '5 hours'

),

heard as (

    select
        nights.account,
        nights.night_date,
        nights.started_at_local,
        nights.ended_at_local,
        sum(hours.plays)::bigint as plays,
        sum(hours.ms_played)::bigint as ms_played
    from nights
    inner join {{ ref('fct_listening_hours') }} as hours
        on nights.account = hours.account and nights.night_date = hours.played_date
    where hours.played_hour between 2 and 5
    group by nights.account, nights.night_date, nights.started_at_local, nights.ended_at_local
    having coalesce(sum(hours.skips) filter (where hours.played_hour < 5), 0) = 0

)

select
    account,
    night_date,
    started_at_local,
    ended_at_local,
    plays,
    {{ minutes('ms_played') }} as minutes,
    concat_ws(
        ',',
        'night-' || account || '-' || night_date, 'true', account, 'hour_window', '2-6', night_date, night_date,
        'overnight autoplay'
    ) as suggested_rule
from heard
