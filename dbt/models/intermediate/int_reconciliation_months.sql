{{
    config(
        unique_key=['account', 'played_month'],
        incremental_strategy='delete+insert'
    )
}}

-- depends_on: {{ ref('int_days_to_rebuild') }}

/*
How far the two sources agree, per account and local month: counted here, so that no report scans the history. Anew
are counted the months of rebuilt days, and those of which imports now cover another part.
*/
{% set window = [var('match_window_seconds') | int, 1] | max %}
{% set steps = difference_steps() %}

with

spans as (

    select
        account,
        range_agg(tstzrange(begins_at, ends_at, '[]')) as covered
    from {{ source('spotify', 'history_spans') }}
    group by account

),

{% if is_incremental() %}

    counted_months as (

        {% for second in (0, 86399) %}
            select
                account,
                date_trunc(
                    'month', {{ local_time("((day_utc + interval '" ~ second ~ " seconds') at time zone 'UTC')") }}
                )::date as played_month
            from {{ ref('int_days_to_rebuild') }}
            union
        {% endfor %}
        select
            months.account,
            months.played_month
        from {{ this }} as months
        left join spans on months.account = spans.account
        where
            months.covered
            is distinct from coalesce(
                spans.covered * {{ month_range('months.played_month', 'months.account') }}, '{}'::tstzmultirange
            )

    ),

    -- A local month begins and ends up to 14 hours beside that of UTC, and a pair can lie over midnight.
    read_days as (

        select distinct
            counted_months.account,
            day.day_at::date as day_utc
        from counted_months
        cross join generate_series(
            counted_months.played_month - interval '2 days',
            counted_months.played_month + interval '1 month 1 day',
            interval '1 day'
        ) as day (day_at)

    ),

{% endif %}

-- Read several times: in a full build where it stands, for PostgreSQL would write it, the whole history, to disk first.
plays as {{ 'materialized' if is_incremental() else 'not materialized' }} (

    select
        plays.account,
        plays.track_uri,
        plays.content_type,
        plays.source,
        plays.polled_at,
        plays.played_at,
        plays.played_date_utc,
        date_trunc('month', plays.played_at_local)::date as played_month
    from {{ rows_of_days(ref('fct_plays'), 'played_date_utc', 'read_days') }} as plays

),

counted as (

    select
        account,
        played_month,
        count(*) filter (where source = 'web_api') as polled_only,
        count(*) filter (where source = 'export' and content_type = 'track' and polled_at is null) as export_only,
        count(*) filter (where content_type != 'track') as export_spoken
    from plays
    group by account, played_month

),

-- Days, and those beside, with plays of both sources that have no pair: most have none, and none is looked for there.
shared_days as (

    select
        plays.account,
        (plays.played_date_utc + neighbour.days)::date as day_utc
    from plays
    cross join (values (-1), (0), (1)) as neighbour (days)
    where plays.source = 'web_api'
    group by plays.account, plays.played_date_utc, neighbour.days
    intersect
    select
        plays.account,
        plays.played_date_utc as day_utc
    from plays
    where plays.source = 'export' and plays.polled_at is null
    group by plays.account, plays.played_date_utc

),

near as (

    select
        polled.account,
        polled.played_month,
        count(distinct row(polled.played_at, polled.track_uri)) as polled_only_near
    from shared_days
    inner join plays as exported
        on shared_days.account = exported.account and shared_days.day_utc = exported.played_date_utc
    cross join (values (-1), (0), (1)) as neighbour (days)
    inner join plays as polled
        on
            exported.account = polled.account
            and exported.track_uri = polled.track_uri
            and exported.played_date_utc + neighbour.days = polled.played_date_utc
    where
        exported.source = 'export'
        and exported.polled_at is null
        and polled.source = 'web_api'
        and exported.played_at between polled.played_at - interval '{{ 10 * window }} seconds'
        and polled.played_at + interval '{{ 10 * window }} seconds'
    group by polled.account, polled.played_month

),

polled_only as (

    select
        plays.account,
        plays.played_month,
        count(*) as polled_only_covered
    from plays
    inner join spans on plays.account = spans.account and plays.played_at <@ spans.covered
    where plays.source = 'web_api'
    group by plays.account, plays.played_month

),

repeated as (

    select
        repeats.account,
        date_trunc('month', {{ local_time('repeats.played_at', 'repeats.account') }})::date as played_month,
        count(*) as near_duplicates
    from {{ rows_of_days(ref('int_near_duplicates'), 'played_date_utc', 'read_days') }} as repeats
    group by repeats.account, date_trunc('month', {{ local_time('repeats.played_at', 'repeats.account') }})::date

),

pairs as (

    select
        matches.account,
        date_trunc('month', {{ local_time('matches.export_played_at', 'matches.account') }})::date as played_month,
        matches.matched_by,
        matches.difference_ms,
        abs(matches.difference_ms) as distance_ms,
        spans.covered @> matches.polled_at as is_covered
    from {{ rows_of_days(ref('int_play_matches'), 'polled_date_utc', 'read_days') }} as matches
    left join spans on matches.account = spans.account

),

matched as (

    select
        account,
        played_month,
        count(*) as plays_matched,
        count(*) filter (where matched_by = 'track_id') as matched_by_track_id,
        count(*) filter (where matched_by = 'isrc') as matched_by_isrc,
        count(*) filter (where matched_by = 'names') as matched_by_names,
        count(*) filter (where is_covered) as matched_covered,
        percentile_disc(0.5) within group (order by distance_ms) as difference_median_ms,
        percentile_disc(0.95) within group (order by distance_ms) as difference_p95_ms,
        max(distance_ms) as difference_max_ms,
        count(*) filter (where distance_ms <= 1000) as within_1_s,
        count(*) filter (where distance_ms <= 5000) as within_5_s,
        count(*) filter (where distance_ms <= 30000) as within_30_s,
        array[
            {% for step in steps %}
                count(*) filter (
                    where
                    {{ 'difference_ms > ' ~ (step.above * 1000) if step.above is not none else 'true' }}
                    and {{ 'difference_ms <= ' ~ (step.upto * 1000) if step.upto is not none else 'true' }}
                ){{ ',' if not loop.last }}
            {% endfor %}
        ] as pairs_by_difference
    from pairs
    group by account, played_month

),

offline as (

    select
        account,
        date_trunc('month', {{ local_time('polled_at') }})::date as played_month,
        count(*) as matched_offline
    from {{ ref('int_offline_matches') }}
    group by account, played_month

),

all_months as (

    select
        account,
        played_month
    from counted
    union
    select
        account,
        played_month
    from repeated
    union
    select
        account,
        played_month
    from matched
    union
    select
        account,
        played_month
    from offline

)

select
    all_months.account,
    all_months.played_month,
    coalesce(
        spans.covered * {{ month_range('all_months.played_month', 'all_months.account') }}, '{}'::tstzmultirange
    ) as covered,
    coalesce(matched.plays_matched, 0) as plays_matched,
    coalesce(matched.matched_by_track_id, 0) as matched_by_track_id,
    coalesce(matched.matched_by_isrc, 0) as matched_by_isrc,
    coalesce(matched.matched_by_names, 0) as matched_by_names,
    coalesce(offline.matched_offline, 0) as matched_offline,
    coalesce(counted.polled_only, 0) as polled_only,
    coalesce(near.polled_only_near, 0) as polled_only_near,
    coalesce(counted.export_only, 0) as export_only,
    coalesce(counted.export_spoken, 0) as export_spoken,
    coalesce(repeated.near_duplicates, 0) as near_duplicates,
    coalesce(matched.matched_covered, 0) as matched_covered,
    coalesce(polled_only.polled_only_covered, 0) as polled_only_covered,
    matched.difference_median_ms,
    matched.difference_p95_ms,
    matched.difference_max_ms,
    coalesce(matched.within_1_s, 0) as within_1_s,
    coalesce(matched.within_5_s, 0) as within_5_s,
    coalesce(matched.within_30_s, 0) as within_30_s,
    matched.pairs_by_difference
from all_months
{% if is_incremental() %}
    inner join counted_months
        on all_months.account = counted_months.account and all_months.played_month = counted_months.played_month
{% endif %}
left join spans on all_months.account = spans.account
left join counted on all_months.account = counted.account and all_months.played_month = counted.played_month
left join near on all_months.account = near.account and all_months.played_month = near.played_month
left join polled_only
    on all_months.account = polled_only.account and all_months.played_month = polled_only.played_month
left join repeated on all_months.account = repeated.account and all_months.played_month = repeated.played_month
left join matched on all_months.account = matched.account and all_months.played_month = matched.played_month
left join offline on all_months.account = offline.account and all_months.played_month = offline.played_month
