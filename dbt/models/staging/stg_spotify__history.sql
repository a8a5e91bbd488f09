/*
The data export in the project's names, and each row dated.

`ts` is the end of the play, except in two kinds of rows: of a play that was heard offline it can be the time of the
sync, and of a play that ended with `unexpected-exit…` or `logout` it is the time of the next start of the app. Both
are reported late. Such a row is dated by `offline_timestamp` (about the start; milliseconds in older rows, seconds in
newer ones, nonsense in some) if that is sound: within the 31 days before `ts` (Spotify lets a device play offline for
30), and start + ms_played at most a minute after `ts`, because clocks differ. Otherwise the row is undated: it keeps
`ts`, takes no part in the search for near-duplicates, and int_offline_matches may pair it with a polled play of the
month before.
Every other row keeps `ts`, whatever its offline_timestamp.

Rows with an impossible timestamp are left out (macro is_possible).

Nonsense must not break the view: whatever is computed from a number of the export stands behind a CASE that has looked
at it, and a play of more than 31 days is taken for one of 31 where its begin is computed.

Without CTEs, for PostgreSQL looks no day up in an index behind a view that has some.
*/
{% set longest_ms = 31 * 24 * 60 * 60 * 1000 %}

{% set device_ms -%}
    case
        when offline_timestamp > 100000000000 then offline_timestamp
        when offline_timestamp >= 1000000000 then offline_timestamp * 1000
    end
{%- endset %}
{% set reported_ms -%} (extract(epoch from played_at_utc) * 1000)::bigint {%- endset %}

{% set is_reported_late -%}
    (offline is true or coalesce(reason_end = 'logout' or starts_with(reason_end, 'unexpected-exit'), false))
{%- endset %}
{% set is_dated_by_device -%}
    coalesce(
        case
            when {{ is_reported_late }} and ms_played between 0 and {{ longest_ms + 60000 }} then
                {{ device_ms }} >= {{ reported_ms }} - {{ longest_ms }}
                and {{ device_ms }} <= {{ reported_ms }} + 60000 - ms_played
        end,
        false
    )
{%- endset %}
{% set device_started_at -%} timestamptz 'epoch' + {{ device_ms }} * interval '1 millisecond' {%- endset %}

{% set played_at -%}
    case
        when {{ is_dated_by_device }} then {{ device_started_at }} + ms_played * interval '1 millisecond'
        else played_at_utc
    end
{%- endset %}

{% set is_track -%} (track_uri is not null or track_name is not null) {%- endset %}
{% set is_audiobook -%}
    coalesce(audiobook_uri, audiobook_title, audiobook_chapter_uri, audiobook_chapter_title) is not null
{%- endset %}
{% set is_episode -%} coalesce(episode_uri, episode_name, episode_show_name) is not null {%- endset %}

select
    account,
    played_at_utc as reported_at,
    played_date_utc as reported_date_utc,
    row_id,
    {{ played_at }} as played_at,
    ({{ played_at }} at time zone 'UTC')::date as played_date_utc,
    case
        when {{ is_dated_by_device }} then {{ device_started_at }}
        else played_at_utc - least(greatest(ms_played, 0), {{ longest_ms }}) * interval '1 millisecond'
    end as started_at,
    {{ is_dated_by_device }} as is_dated_by_device,
    {{ is_reported_late }} and not {{ is_dated_by_device }} as is_undated,
    ms_played,
    case
        when {{ is_track }} then 'track'
        when {{ is_audiobook }} then 'audiobook'
        when {{ is_episode }} then 'episode'
        else 'unknown'
    end as content_type,
    case
        when {{ is_track }} then coalesce(track_uri, {{ name_key('track_name', 'album_artist_name', 'album_name') }})
        when {{ is_audiobook }}
            then
                coalesce(
                    audiobook_chapter_uri, audiobook_uri, {{ name_key('audiobook_chapter_title', 'audiobook_title') }}
                )
        when {{ is_episode }} then coalesce(episode_uri, {{ name_key('episode_name', 'episode_show_name') }})
        else 'unknown'
    end as track_uri,
    track_name,
    album_artist_name,
    album_name,
    case
        when {{ is_track }} then null
        when {{ is_audiobook }} then coalesce(audiobook_chapter_title, audiobook_title)
        else episode_name
    end as spoken_title,
    case
        when {{ is_track }} then null
        when {{ is_audiobook }} then audiobook_title
        else episode_show_name
    end as show_title,
    platform,
    conn_country,
    reason_start,
    reason_end,
    shuffle,
    skipped,
    offline is true as is_offline,
    incognito_mode as is_private,
    last_updated_datetime_utc as captured_at,
    load_id
from {{ source('spotify', 'spotify_history') }}
where {{ is_possible_export() }}
