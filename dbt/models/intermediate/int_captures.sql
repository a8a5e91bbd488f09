{{ config(materialized='view') }}

-- Since when, and until when, the ledger knows of each account: each end is one look into an index.
select
    accounts.account,
    first_page.oldest_played_at as captured_from,
    date_trunc('hour', first_page.oldest_played_at, {{ listener_zone('accounts.account') }}) as first_hour_at,
    last_page.fetched_at as polled_until,
    last_poll.fetched_at as attempted_at
from {{ ref('int_polled_accounts') }} as accounts
inner join lateral (
    select polls.oldest_played_at
    from {{ ref('stg_spotify__polls') }} as polls
    where polls.account = accounts.account and polls.oldest_played_at is not null
    order by polls.fetched_at asc
    limit 1
) as first_page on true
inner join lateral (
    select polls.fetched_at
    from {{ ref('stg_spotify__polls') }} as polls
    where polls.account = accounts.account and polls.oldest_played_at is not null
    order by polls.fetched_at desc
    limit 1
) as last_page on true
inner join lateral (
    select polls.fetched_at
    from {{ ref('stg_spotify__polls') }} as polls
    where polls.account = accounts.account
    order by polls.fetched_at desc
    limit 1
) as last_poll on true
