{{
    config(
        pre_hook=["{{ memory_to_group() }}", "{{ delete_days_to_rebuild() }}"],
        post_hook=[
            "{{ index_once('key', ['played_date_utc', 'account', 'play_id'], unique=true) }}",
            "{{ index_once('track', ['hashtext(track_uri)']) }}",
            "{{ index_once('day', ['account', 'played_date', 'played_at']) }}",
            "{{ analyze_when_new() }}",
        ],
    )
}}

-- depends_on: {{ ref('int_days_to_rebuild') }}

/*
One history of two sources, one row per play:

  1. Every row of the data export is a play, but for near-duplicates (int_history_plays). It says how long was heard.
  2. Every polled play (int_polled_plays) that is not the same as one of the export (int_play_matches,
     int_offline_matches) is one too. How long it was heard is an estimate.

Skipped is an export play that says so or ended by a button, and one that ended by itself never is, whatever `skipped`
says: that was null or false for years. A polled play is taken for skipped when it was heard for less than 90 % of its
length. Completed is an export play that ended by itself, and a polled one that was not skipped.
*/
with

{% if is_incremental() %}

    rebuilt_days as (

        select * from {{ ref('int_days_to_rebuild') }}

    ),

    -- The two ends of a pair can lie on both sides of a midnight.
    read_days as (

        select distinct
            rebuilt_days.account,
            (rebuilt_days.day_utc + neighbour.days)::date as day_utc
        from rebuilt_days
        cross join (values (-1), (0), (1)) as neighbour (days)

    ),

{% endif %}

-- Read twice below; as it stands PostgreSQL knows how few there are, and looks up plays in pairs, not pairs in plays.
matches as not materialized (

    select
        matches.account,
        matches.polled_at,
        matches.polled_track_uri,
        matches.duration_ms,
        matches.export_reported_at,
        matches.export_row_id
    from {{ ref('int_play_matches') }} as matches
    {% if is_incremental() %}
        inner join read_days
            on matches.account = read_days.account and matches.polled_date_utc = read_days.day_utc
    {% endif %}
    union all
    select
        account,
        polled_at,
        polled_track_uri,
        duration_ms,
        export_reported_at,
        export_row_id
    from {{ ref('int_offline_matches') }}

),

plays as (

    select
        exported.account,
        {{ exported_play_id('exported') }} as play_id,
        exported.played_at,
        exported.played_date_utc,
        exported.started_at,
        exported.played_at as first_step_at,
        1 as steps,
        exported.track_uri,
        exported.content_type,
        'export' as source,
        exported.ms_played,
        false as is_estimated,
        null::bigint as ms_returned,
        matches.duration_ms,
        case
            when exported.reason_end = 'trackdone' then false
            when exported.skipped or exported.reason_end in ('fwdbtn', 'backbtn') then true
            when exported.reason_end is not null or not exported.skipped then false
        end as is_skipped,
        exported.reason_end = 'trackdone' as is_completed,
        exported.reason_start,
        exported.reason_end,
        exported.platform,
        exported.conn_country,
        exported.shuffle,
        exported.is_offline,
        exported.is_private,
        exported.is_dated_by_device,
        matches.polled_at,
        exported.captured_at
    from {{ ref('int_history_plays') }} as exported
    {% if is_incremental() %}
        inner join rebuilt_days
            on exported.account = rebuilt_days.account and exported.played_date_utc = rebuilt_days.day_utc
    {% endif %}
    left join matches
        on
            exported.account = matches.account
            and exported.reported_at = matches.export_reported_at
            and exported.row_id = matches.export_row_id
    where not exported.is_near_duplicate

    union all

    select
        polled.account,
        {{ polled_play_id('polled') }} as play_id,
        polled.played_at,
        polled.played_date_utc,
        polled.started_at,
        polled.first_step_at,
        polled.steps,
        polled.track_uri,
        'track' as content_type,
        'web_api' as source,
        polled.ms_played,
        true as is_estimated,
        polled.ms_returned,
        polled.duration_ms,
        polled.ms_played < 0.9 * polled.duration_ms as is_skipped,
        polled.ms_played >= 0.9 * polled.duration_ms as is_completed,
        null as reason_start,
        null as reason_end,
        null as platform,
        null as conn_country,
        null::boolean as shuffle,
        null::boolean as is_offline,
        null::boolean as is_private,
        false as is_dated_by_device,
        null::timestamptz as polled_at,
        polled.captured_at
    from {{ ref('int_polled_plays') }} as polled
    {% if is_incremental() %}
        inner join rebuilt_days
            on polled.account = rebuilt_days.account and polled.played_date_utc = rebuilt_days.day_utc
    {% endif %}
    left join matches
        on
            polled.account = matches.account
            and polled.played_at = matches.polled_at
            and polled.track_uri = matches.polled_track_uri
    where matches.account is null

),

-- `offset 0` keeps PostgreSQL from working the local time out anew for each of the six columns made of it. A full build
-- lays the plays down in their order: then those of a month lie together, and a report reads a tenth of the pages.
dated as (

    select
        *,
        {{ local_time('played_at') }} as played_at_local
    from plays
    {{ 'order by account, played_at' if not is_incremental() }}
    offset 0  -- noqa: AM09

)

select
    account,
    play_id,
    played_at,
    played_date_utc,
    started_at,
    first_step_at,
    steps,
    track_uri,
    content_type,
    source,
    ms_played,
    is_estimated,
    ms_returned,
    duration_ms,
    is_skipped,
    is_completed,
    reason_start,
    reason_end,
    platform,
    conn_country,
    shuffle,
    is_offline,
    is_private,
    is_dated_by_device,
    polled_at,
    played_at_local,
    played_at_local::date as played_date,
    extract(hour from played_at_local)::integer as played_hour,
    extract(isodow from played_at_local)::integer as iso_weekday,
    extract(isoyear from played_at_local)::integer as iso_year,
    extract(week from played_at_local)::integer as iso_week,
    captured_at
from dated
