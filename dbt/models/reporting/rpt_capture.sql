-- How capture stands: the last poll, the consent, the gaps, and which proof the numbers have passed.
with

-- Of all accounts: dbt builds and tests them together.
proven as (

    select
        max(finished_at) filter (where step = 'run') as built_at,
        max(finished_at) filter (where step = 'test') as tested_at,
        max(finished_at) filter (where step = 'test' and scope = 'full') as fully_tested_at,
        max(loaded_through) filter (where step = 'test') >= max(loaded_through) filter (where step = 'run') as is_tested
    from {{ source('pipeline', 'dbt_runs') }}

),

accounts as (

    select account from {{ ref('dim_accounts') }}
    union
    select account from {{ ref('int_polled_accounts') }}

),

gaps as (

    select
        account,
        count(*) as open_gaps,
        sum(hours) as hours_in_open_gaps
    from {{ ref('rpt_gaps') }}
    where is_open
    group by account

)

select
    accounts.account,
    {{ listener_zone('accounts.account') }}::text as time_zone,
    {{ local_time('polled.fetched_at', 'accounts.account') }} as last_polled_at_local,
    tried.outcome as last_attempt,
    {{ local_time('heard.last_played_at', 'accounts.account') }} as last_played_at_local,
    tried.token_days_left,
    {{ local_time('tried.fetched_at', 'accounts.account') }}::date + tried.token_days_left as consent_ends_on,
    coalesce(gaps.open_gaps, 0) as open_gaps,
    coalesce(gaps.hours_in_open_gaps, 0)::numeric(20, 1) as hours_in_open_gaps,
    {{ local_time('proven.built_at', 'accounts.account') }} as built_at_local,
    {{ local_time('proven.tested_at', 'accounts.account') }} as tested_at_local,
    {{ local_time('proven.fully_tested_at', 'accounts.account') }} as fully_tested_at_local,
    coalesce(proven.is_tested, false) as is_tested
from accounts
cross join proven
left join lateral (
    select polls.fetched_at
    from {{ ref('stg_spotify__polls') }} as polls
    where polls.account = accounts.account and polls.outcome = 'polled'
    order by polls.fetched_at desc
    limit 1
) as polled on true
left join lateral (
    select
        polls.fetched_at,
        polls.outcome,
        polls.token_days_left
    from {{ ref('stg_spotify__polls') }} as polls
    where polls.account = accounts.account
    order by polls.fetched_at desc
    limit 1
) as tried on true
left join lateral (
    select max(days.last_played_at) as last_played_at
    from {{ ref('fct_listening_days') }} as days
    where days.account = accounts.account
) as heard on true
left join gaps on accounts.account = gaps.account
