{{
    config(
        pre_hook="{{ delete_days_to_count() }}",
        post_hook=[
            "{{ index_once('key', ['account', 'played_date', 'play_id'], unique=true) }}",
            "{{ analyze_when_new() }}",
        ]
    )
}}

-- depends_on: {{ ref('int_days_to_count') }}

-- The plays that rules exclude, each with the first of its rules by name.
with

{% if is_incremental() %}

    days as (

        {{ days_to_count() }}

    ),

{% endif %}

rules as (

    select * from {{ ref('int_exclusion_rules') }}

),

-- Without a rule, not even the plays are read.
plays as not materialized (

    select those.*
    from {{ plays_of_spans(ref('fct_plays'), 'days') }}
    where exists (select 1 from rules)

),

matched as (

    select
        plays.account,
        plays.played_date,
        plays.play_id,
        rules.rule_id
    from plays
    inner join {{ ref('int_excluded_tracks') }} as excluded
        on plays.account = excluded.account and plays.track_uri = excluded.track_uri and excluded.is_excluded
    inner join rules
        on excluded.rule_id = rules.rule_id and {{ rule_holds_on('rules', 'plays.played_date') }}

    union all

    select
        plays.account,
        plays.played_date,
        plays.play_id,
        rules.rule_id
    from plays
    inner join rules on {{ rule_matches_play('rules', 'plays') }}

)

select
    account,
    played_date,
    play_id,
    min(rule_id) as rule_id
from matched
group by account, played_date, play_id
