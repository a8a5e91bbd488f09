{{ config(materialized='view') }}

-- Up to when each history is known: that is the account's "today". It follows from the last poll and the last play, not
-- from the clock: a report says the same of the same data, and a capture that has stopped is seen.
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
    account,
    {{ listener_zone() }}::text as time_zone,
    as_of,
    {{ local_time('as_of') }}::date as today,
    first_played_date,
    last_played_date
from known
