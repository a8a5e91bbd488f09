{{
    config(
        pre_hook="{{ delete_days_to_rebuild() }}",
        post_hook=[
            "{{ index_once('day', ['played_date_utc', 'account']) }}",
            "{{ index_once('by_device', ['account', 'reported_at', 'row_id'], where='is_dated_by_device') }}",
            "{{ index_once('undated', ['account', 'played_date_utc'], where='is_undated') }}",
            "{{ index_once('undated_track', ['account', 'track_uri'], where='is_undated') }}",
            "{{ analyze_when_new() }}",
        ]
    )
}}

-- depends_on: {{ ref('int_days_to_rebuild') }}

-- One row per row of the data export, dated, and whether it tells of a play a second time (int_near_duplicates).
with

{% if is_incremental() %}

    rebuilt_days as (

        select * from {{ ref('int_days_to_rebuild') }}

    ),

    -- Staging keeps a row under the day on which it was told of: that on which it ended, or up to 31 days later.
    staged_days as (

        select distinct
            rebuilt_days.account,
            (rebuilt_days.day_utc + later.days)::date as day_utc
        from rebuilt_days
        cross join generate_series(-1, 32) as later (days)

    ),

{% endif %}

history as (

    select history.*
    from {{ ref('stg_spotify__history') }} as history
    {% if is_incremental() %}
        inner join staged_days
            on history.account = staged_days.account and history.reported_date_utc = staged_days.day_utc
        inner join rebuilt_days
            on history.account = rebuilt_days.account and history.played_date_utc = rebuilt_days.day_utc
    {% endif %}

)

select
    history.account,
    history.reported_at,
    history.reported_date_utc,
    history.row_id,
    history.played_at,
    history.played_date_utc,
    history.started_at,
    history.is_dated_by_device,
    history.is_undated,
    history.ms_played,
    history.content_type,
    history.track_uri,
    history.track_name,
    history.album_artist_name,
    history.platform,
    history.conn_country,
    history.reason_start,
    history.reason_end,
    history.shuffle,
    history.skipped,
    history.is_offline,
    history.is_private,
    history.captured_at,
    near_duplicates.row_id is not null as is_near_duplicate
from history
left join {{ ref('int_near_duplicates') }} as near_duplicates
    on
        history.account = near_duplicates.account
        and history.played_date_utc = near_duplicates.played_date_utc
        and history.reported_at = near_duplicates.reported_at
        and history.row_id = near_duplicates.row_id
