{{
    config(
        pre_hook="{{ memory_to_group() }}",
        unique_key=['account', 'track_uri'],
        incremental_strategy='delete+insert'
    )
}}

-- A track's attributes as of its latest play; as of the latest that credits anybody, where one does. The Web API knows
-- more of a track than the export, so what was polled goes before what was exported, however old.
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
        album_art_url,
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
        null as album_art_url,
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
            dim.album_art_url,
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

final as (

    select
        latest.account,
        latest.track_uri,
        latest.track_id,
        latest.isrc,
        latest.track_name,
        {{ credited_names('latest.artist_credits') }} as artists,
        latest.artist_credits,
        latest.album_id,
        latest.album_name,
        latest.album_art_url,
        latest.track_url,
        latest.duration_ms,
        latest.is_local,
        latest.is_explicit,
        latest.source,
        latest.played_at as attributes_as_of
    from latest

)

select * from final
