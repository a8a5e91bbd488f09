{{ config(materialized='view') }}

-- The few hours of which not all is known, out of those that fct_capture_hours lists: made from the gaps, not by
-- looking at every hour.
with

captures as (

    select * from {{ ref('int_captures') }}

),

imported as (

    select
        account,
        range_agg(tstzrange(begins_at, ends_at, '[]')) as spans
    from {{ source('spotify', 'history_spans') }}
    group by account

),

-- Stretches of which an hour may be incomplete; of one hour, the order of fct_capture_hours decides.
doubtful as (

    select
        account,
        captured_from as begins_at,
        captured_from as ends_at,
        'possibly_lossy' as completeness
    from captures
    where captured_from > first_hour_at
    union all
    select
        gaps.account,
        gaps.begins_at,
        gaps.ends_at,
        'possibly_lossy' as completeness
    from {{ ref('fct_gaps') }} as gaps
    where gaps.is_open
    union all
    select
        account,
        polled_until as begins_at,
        attempted_at as ends_at,
        'not_polled' as completeness
    from captures

),

-- Hours are counted from the first one: not every zone's hours begin where those of UTC do.
numbered as (

    select
        doubtful.account,
        doubtful.completeness,
        captures.first_hour_at + generate_series(
            greatest(floor(extract(epoch from doubtful.begins_at - captures.first_hour_at) / 3600), 0)::bigint,
            floor(
                extract(epoch from least(doubtful.ends_at, captures.attempted_at) - captures.first_hour_at) / 3600
            )::bigint
        ) * interval '1 hour' as hour_at
    from doubtful
    inner join captures on doubtful.account = captures.account

)

select
    numbered.account,
    numbered.hour_at,
    min(numbered.completeness) as completeness
from numbered
left join imported on numbered.account = imported.account
where
    coalesce(not imported.spans @> tstzrange(numbered.hour_at, numbered.hour_at + interval '1 hour'), true)
group by numbered.account, numbered.hour_at
