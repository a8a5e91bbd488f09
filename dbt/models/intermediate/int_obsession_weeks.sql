{{
    config(
        pre_hook="{{ delete_obsession_weeks() }}",
        post_hook="{{ index_once('key', ['account', 'week_start', 'track_uri'], unique=true) }}"
    )
}}

-- depends_on: {{ ref('int_days_to_count') }}

-- The ISO weeks in which a track was played at least 10 times (var obsession_plays).
with

{% if is_incremental() %}

    weeks as (

        {{ weeks_to_count() }}

    ),

{% endif %}

plays as (

    select those.*
    from {{ plays_of_spans(ref('int_counted_plays'), 'weeks') }}

)

select
    account,
    date_trunc('week', played_date)::date as week_start,
    track_uri,
    count(*) as plays
from plays
group by account, date_trunc('week', played_date)::date, track_uri
having count(*) >= {{ var('obsession_plays') }}
