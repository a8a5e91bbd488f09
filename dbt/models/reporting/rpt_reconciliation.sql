-- How far the data export and the Web API agree, per local played_month.
with

months as (

    select
        *,
        matched_covered + polled_only_covered as polled_covered
    from {{ ref('int_reconciliation_months') }}

)

select
    account,
    played_month,
    plays_matched,
    matched_by_track_id,
    matched_by_isrc,
    matched_by_names,
    matched_offline,
    polled_only,
    polled_only_near,
    export_only,
    export_spoken,
    near_duplicates,
    polled_covered,
    round(matched_covered::numeric / nullif(polled_covered, 0), 4)::numeric(5, 4) as matched_share,
    round(difference_median_ms / 1000.0, 3)::numeric(12, 3) as difference_median_seconds,
    round(difference_p95_ms / 1000.0, 3)::numeric(12, 3) as difference_p95_seconds,
    round(difference_max_ms / 1000.0, 3)::numeric(12, 3) as difference_max_seconds,
    round(within_1_s::numeric / nullif(plays_matched, 0), 4)::numeric(5, 4) as share_within_1_second,
    round(within_5_s::numeric / nullif(plays_matched, 0), 4)::numeric(5, 4) as share_within_5_seconds,
    round(within_30_s::numeric / nullif(plays_matched, 0), 4)::numeric(5, 4) as share_within_30_seconds
from months
