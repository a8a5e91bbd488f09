{{
    config(
        pre_hook="{{ delete_days_to_count() }}",
        post_hook="{{ index_once('key', ['account', 'played_date', 'played_hour'], unique=true) }}"
    )
}}

-- depends_on: {{ ref('int_days_to_count') }}

-- What was heard in each hour of each local date; where the clocks go back, two hours are one.
with

{% if is_incremental() %}

    days as (

        {{ days_to_count() }}

    ),

{% endif %}

plays as (

    select those.*
    from {{ plays_of_spans(ref('int_counted_plays'), 'days') }}

)

select
    account,
    played_date,
    played_hour,
    iso_weekday,
    extract(month from played_date)::integer as month,
    count(*) as plays,
    sum(ms_played)::bigint as ms_played,
    coalesce(sum(ms_played) filter (where is_estimated), 0)::bigint as ms_estimated,
    count(*) filter (where is_skipped) as skips
from plays
group by account, played_date, played_hour, iso_weekday
{{ 'order by account, played_date, played_hour' if not is_incremental() }}
