{{ config(unique_key=['account', 'track_uri'], incremental_strategy='delete+insert') }}

-- A track's attributes as of its latest play; as of the latest that credits anybody, where one does.
with

plays as (

    select * from {{ ref('stg_spotify__plays') }}

),

captured as (

    select
        account,
        track_uri,
        track_id,
        isrc,
        track_name,
        artist_credits,
        album_id,
        album_name,
        album_art_url,
        track_url,
        duration_ms,
        is_local,
        is_explicit,
        played_at as attributes_as_of
    from plays
    {% if is_incremental() %}
        where {{ is_news() }}
    {% endif %}

),

known as (

    select * from captured
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
            dim.attributes_as_of
        from {{ this }} as dim
        where (dim.account, dim.track_uri) in (select captured.account, captured.track_uri from captured)
    {% endif %}

),

latest as (

    select distinct on (account, track_uri) *
    from known
    order by account asc, track_uri asc, (artist_credits != '[]'::jsonb) desc, attributes_as_of desc

),

final as (

    select
        latest.account,
        latest.track_uri,
        latest.track_id,
        latest.isrc,
        coalesce(latest.track_name, '(untitled)') as track_name,
        {{ credited_names('latest.artist_credits') }} as artists,
        latest.artist_credits,
        latest.album_id,
        latest.album_name,
        latest.album_art_url,
        latest.track_url,
        latest.duration_ms,
        latest.is_local,
        latest.is_explicit,
        latest.attributes_as_of
    from latest

)

select * from final
