{{ config(post_hook="{{ analyze_when_new() }}", on_schema_change='fail') }}

-- depends_on: {{ ref('dim_tracks') }}
-- depends_on: {{ ref('int_history_plays') }}
-- depends_on: {{ ref('int_play_matches') }}
-- depends_on: {{ ref('int_polled_plays') }}
-- depends_on: {{ ref('int_track_isrcs') }}

/*
Pairs of plays that no window can find: the export tells an offline play at the second of the sync, hours or days after
its end, when it has no sound offline_timestamp; the Web API tells its end. What is left of both by int_play_matches is
paired here: a polled play with a row of the same track (of one URI, ISRC, or title and artist) in the next sync that
has one, at most 31 days later (Spotify lets a device play offline for 30); the last of the polled plays with the last
of the rows, and so on back.

Found in full builds alone, for a row of today can change pairs of a month ago. The pipeline builds in full whenever a
load brings a play to which an offline row of the month after it may belong.
*/
{% if is_incremental() %}

    select * from {{ this }}
    where false

{% else %}

    with

    undated as (

        select exported.*
        from {{ ref('int_history_plays') }} as exported
        where
            exported.is_offline
            and not exported.is_dated_by_device
            and exported.content_type = 'track'
            and not exported.is_near_duplicate
            and not exists (
                select 1
                from {{ ref('int_play_matches') }} as known
                where
                    known.account = exported.account
                    and known.export_reported_at = exported.reported_at
                    and known.export_row_id = exported.row_id
            )

    ),

    times as (

        select
            account,
            min(reported_at) - interval '31 days' as begins_at,
            max(reported_at) + interval '{{ var("match_window_seconds") }} seconds' as ends_at
        from undated
        group by account

    ),

    polled_alone as (

        select polled.*
        from {{ ref('int_polled_plays') }} as polled
        inner join times
            on polled.account = times.account and polled.played_at between times.begins_at and times.ends_at
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

    -- By how many names a track may be known, the surest first.
    exported_keys as (

        select distinct
            account,
            track_uri,
            1 as pass,
            track_uri as track_key
        from undated
        union
        select
            undated.account,
            undated.track_uri,
            2 as pass,
            isrcs.isrc as track_key
        from undated
        inner join {{ ref('int_track_isrcs') }} as isrcs
            on undated.account = isrcs.account and undated.track_uri = isrcs.track_uri
        union
        select
            account,
            track_uri,
            3 as pass,
            concat_ws(
                '|', {{ normalised_name('track_name') }}, {{ normalised_name('album_artist_name') }}
            ) as track_key
        from undated

    ),

    polled_keys as (

        select distinct
            account,
            track_uri,
            1 as pass,
            track_uri as track_key
        from polled_alone
        union
        select
            account,
            track_uri,
            2 as pass,
            isrc as track_key
        from polled_alone
        where isrc is not null
        union
        select
            polled_alone.account,
            polled_alone.track_uri,
            3 as pass,
            concat_ws(
                '|',
                {{ normalised_name('tracks.track_name') }},
                {{ normalised_name("credit.artist ->> 'name'") }}
            ) as track_key
        from polled_alone
        inner join {{ ref('dim_tracks') }} as tracks
            on polled_alone.account = tracks.account and polled_alone.track_uri = tracks.track_uri
        cross join jsonb_array_elements(tracks.artist_credits) as credit (artist)

    ),

    same_tracks as (

        select
            polled_keys.account,
            polled_keys.track_uri as polled_track_uri,
            exported_keys.track_uri as exported_track_uri,
            min(polled_keys.pass) as pass
        from polled_keys
        inner join exported_keys
            on
                polled_keys.account = exported_keys.account
                and polled_keys.pass = exported_keys.pass
                and polled_keys.track_key = exported_keys.track_key
        group by polled_keys.account, polled_keys.track_uri, exported_keys.track_uri

    ),

    -- In which sync, and as what track, each polled play may have been told.
    next_syncs as (

        select distinct on (polled.account, polled.track_uri, polled.played_at)
            polled.account,
            polled.track_uri,
            polled.played_at,
            polled.played_date_utc,
            polled.duration_ms,
            exported.track_uri as exported_track_uri,
            exported.reported_at
        from polled_alone as polled
        inner join same_tracks
            on polled.account = same_tracks.account and polled.track_uri = same_tracks.polled_track_uri
        inner join undated as exported
            on
                same_tracks.account = exported.account
                and same_tracks.exported_track_uri = exported.track_uri
                and exported.reported_at
                between polled.played_at - interval '{{ var("match_window_seconds") }} seconds'
                and polled.played_at + interval '31 days'
        order by
            polled.account asc,
            polled.track_uri asc,
            polled.played_at asc,
            same_tracks.pass asc,
            exported.reported_at asc,
            exported.track_uri asc

    ),

    numbered_plays as (

        select
            *,
            row_number() over (
                partition by account, exported_track_uri, reported_at order by played_at desc, track_uri asc
            ) as place
        from next_syncs

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

{% endif %}
