{{
    config(
        pre_hook="{{ delete_days_to_count() }}",
        post_hook="{{ index_once('key', ['account', 'played_date'], unique=true) }}"
    )
}}

-- depends_on: {{ ref('int_days_to_count') }}

-- What was heard on each local date. Counted, excluded and spoken plays together are all plays of the day.
with

{% if is_incremental() %}

    days as (

        {{ days_to_count() }}

    ),

{% endif %}

plays as (

    select
        those.*,
        excluded.play_id is not null as is_excluded,
        excluded.play_id is null and those.content_type = 'track' as is_counted
    from {{ plays_of_spans(ref('fct_plays'), 'days') }}
    left join {{ ref('int_excluded_plays') }} as excluded
        on
            those.account = excluded.account
            and those.played_date = excluded.played_date
            and those.play_id = excluded.play_id

)

select
    account,
    played_date,
    count(*) filter (where is_counted) as plays,
    count(*) filter (where is_counted and is_estimated) as plays_estimated,
    coalesce(sum(ms_played) filter (where is_counted), 0)::bigint as ms_played,
    coalesce(sum(ms_played) filter (where is_counted and is_estimated), 0)::bigint as ms_estimated,
    count(*) filter (where is_counted and is_skipped) as skips,
    count(*) filter (where is_counted and is_skipped is not null) as plays_judged,
    count(*) filter (where is_counted and is_completed) as completions,
    count(*) filter (where is_counted and is_completed is not null) as plays_completion_judged,
    count(*) filter (where is_excluded) as excluded_plays,
    coalesce(sum(ms_played) filter (where is_excluded), 0)::bigint as ms_excluded,
    count(*) filter (where not is_excluded and content_type != 'track') as spoken_plays,
    coalesce(sum(ms_played) filter (where not is_excluded and content_type != 'track'), 0)::bigint as ms_spoken,
    min(played_at) as first_played_at,
    max(played_at) as last_played_at
from plays
group by account, played_date
