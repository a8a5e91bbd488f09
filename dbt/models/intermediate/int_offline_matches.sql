{{
    config(
        pre_hook="{{ set_offline_matches_aside() }}",
        post_hook=["{{ add_days_of_changed_offline_matches() }}", "{{ analyze_when_new() }}"],
        on_schema_change='fail'
    )
}}

-- depends_on: {{ ref('int_days_to_rebuild') }}
-- depends_on: {{ ref('stg_spotify__plays') }}
-- depends_on: {{ ref('stg_spotify__history') }}

/*
Pairs of plays that no window can find: an undated row of the export (stg_spotify__history) carries the second of the
sync, or of the next start of the app, hours or days after the end of the play; the Web API reports its end. What
int_play_matches leaves of both is paired here: a polled play with a row of the same track (of one URI, ISRC, or title
and artist, as int_play_matches) in the next sync that has one, at most 31 days later (Spotify lets a device play
offline for 30); the last of the polled plays with the last of the rows, and so on back.

Which sync a polled play belongs to depends only on the play and on the rows of the 31 days after it; who is paired in a
sync depends only on the plays that belong to it. So an incremental run looks at the syncs within offline_reach_days()
of the rebuilt days, and reads twice as far for what competes with them. Keys of tracks are those of the single play and
the single sync, never those of the track's other plays: what lies further away must not change a pair.
*/
{% set undated_days = 2 * (offline_reach_days() | int) %}
{% set window -%} interval '{{ var("match_window_seconds") }} seconds' {%- endset %}
{% set next_sync -%}
    exported.reported_at between polled.played_at - {{ window }} and polled.played_at + interval '31 days'
{%- endset %}

with

{% if is_incremental() %}

    matched_spans as (

        {{ spans_around_rebuilt_days(offline_reach_days()) }}

    ),

    read_spans as (

        {{ spans_around_rebuilt_days(undated_days) }}

    ),

{% endif %}

undated as (

    select exported.*
    from {{ rows_of_syncs('read_spans') }} as exported
    where
        exported.is_undated
        and exported.content_type = 'track'
        and not exported.is_near_duplicate
        and not exists (
            select 1
            from {{ ref('int_play_matches') }} as known
            where
                known.account = exported.account
                and known.polled_date_utc between exported.played_date_utc - 1 and exported.played_date_utc + 1
                and known.export_reported_at = exported.reported_at
                and known.export_row_id = exported.row_id
        )

),

-- Polled plays are read only where a sync may hold them.
polled_spans as (

    select
        account,
        unnest(range_agg(daterange(played_date_utc - 32, played_date_utc + 1, '[]'))) as span
    from undated
    group by account

),

polled_alone as (

    select polled.*
    from {{ rows_of_spans(ref('int_polled_plays'), 'polled_spans') }} as polled
    where
        not exists (
            select 1
            from {{ ref('int_play_matches') }} as known
            where
                known.account = polled.account
                and known.polled_date_utc = polled.played_date_utc
                and known.polled_at = polled.played_at
                and known.polled_track_uri = polled.track_uri
        )

),

-- By how many names a track may be known, the surest first: those of the rows of one track and sync, of one play.
exported_keys as (

    select distinct
        account,
        track_uri,
        reported_at,
        1 as pass,
        track_uri as track_key
    from undated
    union
    select
        undated.account,
        undated.track_uri,
        undated.reported_at,
        2 as pass,
        isrcs.isrc as track_key
    from undated
    inner join {{ ref('int_track_isrcs') }} as isrcs
        on undated.account = isrcs.account and undated.track_uri = isrcs.track_uri
    union
    select
        account,
        track_uri,
        reported_at,
        3 as pass,
        {{ normalised_name('track_name') }} || '|' || {{ normalised_name('album_artist_name') }} as track_key
    from undated
    where track_name is not null and album_artist_name is not null

),

polled_keys as (

    select
        account,
        track_uri,
        played_at,
        1 as pass,
        track_uri as track_key
    from polled_alone
    union
    select
        account,
        track_uri,
        played_at,
        2 as pass,
        isrc as track_key
    from polled_alone
    where isrc is not null
    union
    select
        polled_alone.account,
        polled_alone.track_uri,
        polled_alone.played_at,
        3 as pass,
        {{ normalised_name('steps.track_name') }}
        || '|' || {{ normalised_name("credit.artist ->> 'name'") }} as track_key
    from polled_alone
    inner join {{ ref('stg_spotify__plays') }} as steps
        on
            polled_alone.account = steps.account
            and polled_alone.played_date_utc = steps.played_date_utc
            and polled_alone.played_at = steps.played_at
            and polled_alone.track_uri = steps.track_uri
    cross join jsonb_array_elements(steps.artist_credits || steps.album_artist_credits) as credit (artist)
    where steps.track_name is not null and credit.artist ->> 'name' is not null

),

-- In which sync, and as what track, each polled play may have been reported.
next_syncs as (

    select distinct on (polled.account, polled.track_uri, polled.played_at)
        polled.account,
        polled.track_uri,
        polled.played_at,
        exported.track_uri as exported_track_uri,
        exported.reported_at
    from polled_keys as polled
    inner join exported_keys as exported
        on
            polled.account = exported.account
            and polled.pass = exported.pass
            and polled.track_key = exported.track_key
            and {{ next_sync }}
    order by
        polled.account asc,
        polled.track_uri asc,
        polled.played_at asc,
        polled.pass asc,
        exported.reported_at asc,
        exported.track_uri asc

),

numbered_plays as (

    select
        polled.account,
        polled.played_date_utc,
        polled.played_at,
        polled.track_uri,
        polled.duration_ms,
        next_syncs.exported_track_uri,
        next_syncs.reported_at,
        row_number() over (
            partition by next_syncs.account, next_syncs.exported_track_uri, next_syncs.reported_at
            order by next_syncs.played_at desc, next_syncs.track_uri asc
        ) as place
    from next_syncs
    inner join polled_alone as polled
        on
            next_syncs.account = polled.account
            and next_syncs.track_uri = polled.track_uri
            and next_syncs.played_at = polled.played_at

),

numbered_rows as (

    select
        *,
        row_number() over (partition by account, track_uri, reported_at order by row_id) as place
    from undated

)

select
    polled.account,
    polled.played_date_utc as polled_date_utc,
    polled.played_at as polled_at,
    polled.track_uri as polled_track_uri,
    polled.duration_ms,
    exported.played_date_utc as export_date_utc,
    exported.reported_date_utc as export_reported_date_utc,
    exported.reported_at as export_reported_at,
    exported.row_id as export_row_id
from numbered_plays as polled
inner join numbered_rows as exported
    on
        polled.account = exported.account
        and polled.exported_track_uri = exported.track_uri
        and polled.reported_at = exported.reported_at
        and polled.place = exported.place
{% if is_incremental() %}
    inner join matched_spans
        on exported.account = matched_spans.account and exported.played_date_utc <@ matched_spans.span
{% endif %}
