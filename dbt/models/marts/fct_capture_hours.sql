{{ config(materialized='view') }}

/*
How much is known of each hour, from the first play ever polled to the last poll:

  complete         polled, and no gap lies in it; or imported history covers it, whatever the polls did
  possibly_lossy   part of it lies in an open gap, or before the first play that Spotify still knew
  not_polled       no page has come since it ended

An hour of the night that nobody polled becomes complete in the morning: that page reaches back over it, or is a gap.
*/
with

polls as (

    select * from {{ ref('stg_spotify__polls') }}

),

first_pages as (

    select distinct on (account)
        account,
        oldest_played_at as captured_from
    from polls
    where oldest_played_at is not null
    order by account, fetched_at

),

pages as (

    select
        account,
        max(fetched_at) filter (where oldest_played_at is not null) as polled_until,
        max(fetched_at) as attempted_at
    from polls
    group by account

),

captures as (

    select
        pages.*,
        first_pages.captured_from
    from pages
    inner join first_pages on pages.account = first_pages.account

),

hours as (

    select
        captures.*,
        spine.hour_at
    from captures
    cross join generate_series(
        date_trunc('hour', captures.captured_from, {{ listener_zone() }}),
        captures.attempted_at,
        interval '1 hour'
    ) as spine (hour_at)

),

gaps as (

    select * from {{ ref('fct_gaps') }}
    where is_open

),

imported as (

    select
        account,
        range_agg(tstzrange(begins_at, ends_at, '[]')) as spans
    from {{ source('spotify', 'history_spans') }}
    group by account

),

judged as (

    select
        hours.account,
        hours.hour_at,
        case
            when imported.spans @> tstzrange(hours.hour_at, hours.hour_at + interval '1 hour') then 'complete'
            when hours.hour_at + interval '1 hour' > hours.polled_until then 'not_polled'
            when
                hours.hour_at < hours.captured_from
                or exists (
                    select 1
                    from gaps
                    where
                        gaps.account = hours.account
                        and gaps.begins_at < hours.hour_at + interval '1 hour'
                        and gaps.ends_at >= hours.hour_at
                )
                then 'possibly_lossy'
            else 'complete'
        end as completeness
    from hours
    left join imported on hours.account = imported.account

)

select
    account,
    hour_at,
    {{ local_time('hour_at') }} as hour_at_local,
    {{ local_time('hour_at') }}::date as date_local,
    completeness
from judged
