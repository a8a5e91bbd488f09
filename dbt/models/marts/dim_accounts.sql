{{ config(materialized='view') }}

-- The listeners, up to when their history is known, and where plays may be missing.
with

known as (

    select * from {{ ref('int_known_accounts') }}

),

open_gaps as (

    select
        account,
        range_agg(tstzrange(begins_at, ends_at, '[]')) as stretches
    from {{ ref('fct_gaps') }}
    where is_open
    group by account

)

select
    known.account,
    known.time_zone,
    known.as_of,
    known.today,
    known.first_played_date,
    known.last_played_date,
    open_gaps.account is not null as has_open_gap,
    open_gaps.stretches as open_gaps
from known
left join open_gaps on known.account = open_gaps.account
