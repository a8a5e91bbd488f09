/*
Every row of staging that is not a play of its own, with the rule that removed it and the play that counts instead:

  impossible_timestamp   before 2006-04-01, or later than its capture (macro is_possible); no play counts instead
  near_duplicate         the export tells one play twice (int_near_duplicates)
  joined_step            the Web API returned one play as several rows (int_polled_plays)
  in_both_sources        a polled play that the export has too (int_play_matches, int_offline_matches)

Removed rows and plays together are the rows of staging: totals_reconcile. Plays that exclusion rules remove from
reports are no removed rows; they stay in fct_plays.
*/
{% set is_last -%} (steps.played_at = polled.played_at and steps.track_uri = polled.track_uri) {%- endset %}

with

matches as not materialized (

    {% for pairs in ('int_play_matches', 'int_offline_matches') %}
        select
            account,
            polled_date_utc,
            polled_at,
            polled_track_uri,
            export_date_utc,
            export_reported_at,
            export_row_id
        from {{ ref(pairs) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- The polled plays that are not plays of their own, and those of several rows; each with the play that counts.
polled as (

    select
        polled.account,
        polled.played_at,
        polled.played_date_utc,
        polled.first_step_at,
        polled.steps,
        polled.track_uri,
        exported.row_id is not null as is_matched,
        case
            when exported.row_id is null then {{ polled_play_id('polled') }}
            else {{ exported_play_id('exported') }}
        end as kept_play_id,
        coalesce(exported.played_at, polled.played_at) as kept_played_at,
        coalesce(exported.track_uri, polled.track_uri) as kept_track_uri
    from {{ ref('int_polled_plays') }} as polled
    left join matches
        on
            polled.account = matches.account
            and polled.played_date_utc = matches.polled_date_utc
            and polled.played_at = matches.polled_at
            and polled.track_uri = matches.polled_track_uri
    left join {{ ref('int_history_plays') }} as exported
        on
            matches.account = exported.account
            and matches.export_date_utc = exported.played_date_utc
            and matches.export_reported_at = exported.reported_at
            and matches.export_row_id = exported.row_id
    where polled.steps > 1 or exported.row_id is not null

),

rows_of_polled as (

    select distinct
        plays.account,
        plays.played_at,
        plays.track_uri,
        plays.duration_ms,
        plays.isrc,
        plays.captured_at,
        plays.load_id,
        plays.track_name,
        plays.artist_credits
    from polled
    cross join lateral (
        select those.*
        from {{ ref('stg_spotify__plays') }} as those
        where
            those.account = polled.account
            and those.played_date_utc in (polled.played_date_utc - 1, polled.played_date_utc)
            and those.played_at between polled.first_step_at and polled.played_at
    ) as plays

),

{{ told_steps('rows_of_polled') }},

removed_polled as (

    select
        polled.account,
        case when polled.is_matched and {{ is_last }} then 'in_both_sources' else 'joined_step' end as removed_by,
        steps.played_at,
        steps.track_uri,
        steps.duration_ms as ms_played,
        polled.kept_play_id,
        polled.kept_played_at,
        polled.kept_track_uri
    from told_steps as steps
    inner join polled
        on
            steps.account = polled.account
            and steps.play_uri = polled.track_uri
            and (steps.played_at at time zone 'UTC')::date
            in (polled.played_date_utc - 1, polled.played_date_utc)
            and steps.played_at between polled.first_step_at and polled.played_at
    where polled.is_matched or not {{ is_last }}

),

removed_exported as (

    select
        repeated.account,
        repeats.reported_at,
        repeats.played_at,
        repeats.track_uri,
        repeats.track_name,
        repeats.ms_played,
        {{ exported_play_id('kept') }} as kept_play_id,
        kept.played_at as kept_played_at,
        kept.track_uri as kept_track_uri
    from {{ ref('int_near_duplicates') }} as repeated
    inner join {{ ref('int_history_plays') }} as repeats
        on
            repeated.account = repeats.account
            and repeated.played_date_utc = repeats.played_date_utc
            and repeated.reported_at = repeats.reported_at
            and repeated.row_id = repeats.row_id
    inner join {{ ref('int_history_plays') }} as kept
        on
            repeated.account = kept.account
            and repeated.kept_date_utc = kept.played_date_utc
            and repeated.kept_reported_at = kept.reported_at
            and repeated.kept_row_id = kept.row_id

)

select
    account,
    'impossible_timestamp' as removed_by,
    'export' as source,
    played_at_utc as reported_at,
    played_at_utc as played_at,
    track_uri,
    coalesce(track_name, episode_name, audiobook_chapter_title, audiobook_title) as track_name,
    ms_played,
    null::text as kept_play_id,
    null::timestamptz as kept_played_at,
    null::text as kept_track_uri
from {{ source('spotify', 'spotify_history') }}
where not {{ is_possible_export() }}

union all

select
    account,
    'impossible_timestamp' as removed_by,
    'web_api' as source,
    played_at_utc as reported_at,
    played_at_utc as played_at,
    track_uri,
    song_name as track_name,
    song_duration_ms::bigint as ms_played,
    null::text as kept_play_id,
    null::timestamptz as kept_played_at,
    null::text as kept_track_uri
from {{ source('spotify', 'spotify_songs') }}
where not {{ is_possible_poll() }}

union all

select
    account,
    'near_duplicate' as removed_by,
    'export' as source,
    reported_at,
    played_at,
    track_uri,
    track_name,
    ms_played,
    kept_play_id,
    kept_played_at,
    kept_track_uri
from removed_exported

union all

select
    removed_polled.account,
    removed_polled.removed_by,
    'web_api' as source,
    removed_polled.played_at as reported_at,
    removed_polled.played_at,
    removed_polled.track_uri,
    tracks.track_name,
    removed_polled.ms_played::bigint as ms_played,
    removed_polled.kept_play_id,
    removed_polled.kept_played_at,
    removed_polled.kept_track_uri
from removed_polled
inner join {{ ref('dim_tracks') }} as tracks
    on removed_polled.account = tracks.account and removed_polled.track_uri = tracks.track_uri
