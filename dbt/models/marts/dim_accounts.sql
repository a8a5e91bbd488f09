{{ config(materialized='view') }}

-- The listeners, and up to when their history is known: that is their "today". It follows from the last poll and the
-- last play, not from the clock: a report says the same of the same data, and a capture that has stopped is seen.
with

days as (

    select * from {{ ref('fct_listening_days') }}

),

heard as (

    select
        account,
        max(last_played_at) as last_played_at,
        min(played_date) filter (where plays > 0) as first_played_date,
        max(played_date) filter (where plays > 0) as last_played_date
    from days
    group by account

),

open_gaps as (

    select
        account,
        range_agg(tstzrange(begins_at, ends_at, '[]')) as stretches
    from {{ ref('fct_gaps') }}
    where is_open
    group by account

),

known as (

    select
        heard.*,
        greatest(heard.last_played_at, polled.fetched_at) as as_of
    from heard
    left join lateral (
        select polls.fetched_at
        from {{ ref('stg_spotify__polls') }} as polls
        where polls.account = heard.account and polls.outcome = 'polled'
        order by polls.fetched_at desc
        limit 1
    ) as polled on true

)

select
    known.account,
    {{ listener_zone('known.account') }}::text as time_zone,
    known.as_of,
    {{ local_time('known.as_of', 'known.account') }}::date as today,
    known.first_played_date,
    known.last_played_date,
    open_gaps.account is not null as has_open_gap,
    open_gaps.stretches as open_gaps
from known
left join open_gaps on known.account = open_gaps.account
