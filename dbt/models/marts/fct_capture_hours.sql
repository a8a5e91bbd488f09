{{ config(materialized='view') }}

/*
How much is known of each hour, from the first play ever polled to the last poll:

  complete         polled, and no gap lies in it; or imported history covers it, whatever the polls did
  possibly_lossy   part of it lies in an open gap, or before the first play that Spotify still knew
  not_polled       no page has come since it ended

An hour of the night that nobody polled becomes complete in the morning: that page reaches back over it, or is a gap.
*/
with

captures as (

    select * from {{ ref('int_captures') }}

),

hours as (

    select
        captures.account,
        spine.hour_at
    from captures
    cross join generate_series(captures.first_hour_at, captures.attempted_at, interval '1 hour') as spine (hour_at)

)

select
    hours.account,
    hours.hour_at,
    {{ local_time('hours.hour_at', 'hours.account') }} as hour_at_local,
    {{ local_time('hours.hour_at', 'hours.account') }}::date as date_local,
    coalesce(incomplete.completeness, 'complete') as completeness
from hours
left join {{ ref('int_incomplete_hours') }} as incomplete
    on hours.account = incomplete.account and hours.hour_at = incomplete.hour_at
