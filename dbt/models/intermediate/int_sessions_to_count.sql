{{ config(pre_hook="{% if is_incremental() %} delete from {{ this }} {% endif %}") }}

/*
The stretches in which sessions are put together anew: around each run of counted days, from the begin of the last
session that began before it to the end of the first that ends after it. A play of these days can join the one or split
the other; what lies beyond is as it was.
*/
{% set sessions = adapter.get_relation(target.database, 'marts', 'fct_sessions') if is_incremental() %}

with

days as (

    select
        account,
        {{ local_midnight('played_date') }} as from_at,
        {{ local_midnight('played_date + 1') }} as to_at
    from {{ ref('int_days_to_count') }}

),

runs as (

    select
        account,
        unnest(range_agg(tstzrange(from_at, to_at))) as run
    from days
    group by account

),

stretches as (

    select
        runs.account,
        {% if sessions %}
            tstzrange(
                coalesce(earlier.first_played_at, lower(runs.run)),
                coalesce(later.ended_at, upper(runs.run)),
                '[]'
            ) as stretch
        {% else %}
            runs.run as stretch
        {% endif %}
    from runs
    {% if sessions %}
        left join lateral (
            select sessions.first_played_at
            from {{ sessions }} as sessions
            where sessions.account = runs.account and sessions.first_played_at < lower(runs.run)
            order by sessions.first_played_at desc
            limit 1
        ) as earlier on true
        left join lateral (
            select sessions.ended_at
            from {{ sessions }} as sessions
            where sessions.account = runs.account and sessions.ended_at >= upper(runs.run)
            order by sessions.ended_at asc
            limit 1
        ) as later on true
    {% endif %}

),

merged as (

    select
        account,
        unnest(range_agg(stretch)) as stretch
    from stretches
    group by account

)

select
    account,
    lower(stretch) as from_at,
    upper(stretch) as to_at
from merged
