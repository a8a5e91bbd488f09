{{ config(materialized='view') }}

-- What every report counts: plays of tracks that no rule excludes.
select
    plays.account,
    plays.play_id,
    plays.played_at,
    plays.played_date_utc,
    plays.started_at,
    plays.first_step_at,
    plays.steps,
    plays.track_uri,
    plays.content_type,
    plays.source,
    plays.ms_played,
    plays.is_estimated,
    plays.ms_returned,
    plays.duration_ms,
    plays.is_skipped,
    plays.is_completed,
    plays.reason_start,
    plays.reason_end,
    plays.platform,
    plays.conn_country,
    plays.shuffle,
    plays.is_offline,
    plays.is_private,
    plays.is_dated_by_device,
    plays.polled_at,
    plays.played_at_local,
    plays.played_date,
    plays.played_hour,
    plays.iso_weekday,
    plays.iso_year,
    plays.iso_week,
    plays.captured_at
from {{ ref('fct_plays') }} as plays
left join {{ ref('int_excluded_plays') }} as excluded
    on
        plays.account = excluded.account
        and plays.played_date = excluded.played_date
        and plays.play_id = excluded.play_id
where
    excluded.play_id is null
    and plays.content_type = 'track'
