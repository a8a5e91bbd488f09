{{
    config(
        pre_hook="{{ memory_to_group() }}",
        unique_key=['account', 'track_uri'],
        incremental_strategy='delete+insert',
        post_hook=[
            "{{ index_once('album', ['account', 'album_key']) }}",
            "{{ index_once('isrc', ['account', 'isrc'], where='isrc is not null') }}",
        ]
    )
}}

-- depends_on: {{ ref('int_news_tracks') }}

-- A track's attributes as of its latest play; as of the latest that credits anybody, where one does. The Web API knows
-- more of a track than the export, so what was polled goes before what was exported, however old. Tracks of one ISRC
-- are releases of one recording, unless the listener's own seed file says otherwise.
with

polled as not materialized (

    select
        account,
        track_uri,
        track_id,
        isrc,
        coalesce(track_name, '(untitled)') as track_name,
        artist_credits,
        album_id,
        album_name,
        album_artist_credits -> 0 ->> 'name' as album_artist,
        album_type,
        album_release_date,
        album_release_date_precision,
        album_total_tracks,
        album_art_url,
        disc_number,
        track_number,
        track_url,
        duration_ms,
        is_local,
        is_explicit,
        played_at
    from {{ ref('stg_spotify__plays') }}
    {% if is_incremental() %}
        where {{ is_news() }}
    {% endif %}

),

polled_last as (

    select
        account,
        track_uri,
        coalesce(max(played_at) filter (where artist_credits != '[]'::jsonb), max(played_at)) as played_at
    from polled
    group by account, track_uri

),

exported as not materialized (

    select
        account,
        track_uri,
        track_name,
        album_artist_name,
        album_name,
        played_at
    from {{ ref('stg_spotify__history') }}
    where
        {{ is_track_row() }}
    {% if is_incremental() %}
        and {{ is_news() }}
    {% endif %}

),

-- lower() alone, as in macro exported_credits: NFC turns no other text into 'various artists'.
exported_last as (

    select
        account,
        track_uri,
        coalesce(
            max(played_at) filter (where lower(album_artist_name) != 'various artists'), max(played_at)
        ) as played_at
    from exported
    group by account, track_uri

),

known as (

    select
        polled.*,
        'web_api' as source,
        true as is_new
    from polled
    inner join polled_last
        on
            polled.account = polled_last.account
            and polled.track_uri = polled_last.track_uri
            and polled.played_at = polled_last.played_at

    union all

    select
        exported.account,
        exported.track_uri,
        substring(exported.track_uri from '^spotify:track:(.+)$') as track_id,
        null as isrc,
        coalesce(exported.track_name, '(untitled)') as track_name,
        {{ exported_credits('exported.album_artist_name') }} as artist_credits,
        null as album_id,
        exported.album_name,
        exported.album_artist_name as album_artist,
        null as album_type,
        null as album_release_date,
        null as album_release_date_precision,
        null as album_total_tracks,
        null as album_art_url,
        null as disc_number,
        null as track_number,
        'https://open.spotify.com/track/' || substring(exported.track_uri from '^spotify:track:(.+)$') as track_url,
        null as duration_ms,
        exported.track_uri like 'spotify:local:%' as is_local,
        null as is_explicit,
        exported.played_at,
        'export' as source,
        true as is_new
    from exported
    inner join exported_last
        on
            exported.account = exported_last.account
            and exported.track_uri = exported_last.track_uri
            and exported.played_at = exported_last.played_at

    {% if is_incremental() %}
        union all
        select
            dim.account,
            dim.track_uri,
            dim.track_id,
            dim.isrc,
            dim.track_name,
            dim.artist_credits,
            dim.album_id,
            dim.album_name,
            dim.album_artist,
            dim.album_type,
            dim.album_release_date,
            dim.album_release_date_precision,
            dim.album_total_tracks,
            dim.album_art_url,
            dim.disc_number,
            dim.track_number,
            dim.track_url,
            dim.duration_ms,
            dim.is_local,
            dim.is_explicit,
            dim.attributes_as_of as played_at,
            dim.source,
            false as is_new
        from {{ this }} as dim
        where
            (dim.account, dim.track_uri) in (
                select
                    polled_last.account,
                    polled_last.track_uri
                from polled_last
                union all
                select
                    exported_last.account,
                    exported_last.track_uri
                from exported_last
            )
    {% endif %}

),

-- A polled row that was corrected goes before what it was. The columns at the end decide between export rows of one
-- second, the same way every time.
latest as (

    select distinct on (account, track_uri) *
    from known
    order by
        account asc,
        track_uri asc,
        source desc,
        (artist_credits != '[]'::jsonb) desc,
        played_at desc,
        (is_new and source = 'web_api') desc,
        track_name asc,
        album_name asc,
        artist_credits asc

),

-- What the listener's own seed file says goes before the ISRC; a row for one account before a row for all.
overrides as (

    select distinct on (latest.account, latest.track_uri)
        latest.account,
        latest.track_uri,
        given.recording
    from latest
    inner join {{ ref('recording_overrides') }} as given
        on latest.track_uri = given.track_uri and latest.account = coalesce(given.account, latest.account)
    order by latest.account asc, latest.track_uri asc, given.account asc nulls last, given.recording asc

),

final as (

    select
        latest.account,
        latest.track_uri,
        latest.track_id,
        latest.isrc,
        coalesce(
            'override:' || overrides.recording,
            'isrc:' || latest.isrc,
            latest.track_uri
        ) as recording_key,
        latest.track_name,
        {{ credited_names('latest.artist_credits') }} as artists,
        latest.artist_credits,
        latest.album_id,
        latest.album_name,
        latest.album_artist,
        {{ album_key('latest.album_name', 'latest.album_artist') }} as album_key,
        latest.album_type,
        latest.album_release_date,
        latest.album_release_date_precision,
        latest.album_total_tracks,
        latest.album_art_url,
        latest.disc_number,
        latest.track_number,
        latest.track_url,
        latest.duration_ms,
        latest.is_local,
        latest.is_explicit,
        latest.source,
        latest.played_at as attributes_as_of
    from latest
    left join overrides on latest.account = overrides.account and latest.track_uri = overrides.track_uri

)

select * from final
